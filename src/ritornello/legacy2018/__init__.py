"""The system of 2018: its rows, network, loss, composing and Keras files."""
