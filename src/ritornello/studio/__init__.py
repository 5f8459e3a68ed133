"""The studio: a page in the browser, served on this machine, to compose, hear, choose and change songs.

    server     opens the socket and the browser, and runs the server
    security   refuses requests from other sites, without the token, or with too large or slow bodies
    routes     the table of the HTTP interface, and its description (OpenAPI)
    app, api   the web application, and the functions that answer the requests
    songs      the folder of songs with their versions
    jobs       the queue of long work, such as composing; new_jobs turns a request into such work
    worker     starts and kills worker processes; work is the program that they run
    *_work     what a worker process can do: compose, learn, read files, render sound, find copies

The server composes nothing and reads no song file. Worker processes do both; they may be killed at any time.
"""
