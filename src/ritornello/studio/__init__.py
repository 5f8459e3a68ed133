"""The studio: a page in the browser, served on this machine, to compose, hear, choose and change songs.

    server    the socket, the token, the browser
    security  who may ask: hosts, origins, tokens, sizes and times of bodies
    routes > openapi, app    the table of the HTTP interface; its description; its functions
    songs     the folder of songs with their versions
    jobs      the queue of long work; worker: a process that does it, work: what it does

The server composes nothing and reads no song file: other processes do, which may be killed at any time.
"""
