"""The real servers as judges: `nginx -t` and `haproxy -c` on scratch copies.

A scratch copy is the configuration with everything that would reach outside replaced by stand-ins:
log files, temporary folders, certificates, host names, listen addresses. So a judge writes no file
of the machine, asks no name server, runs no code that the configuration names, and needs no root.
"""
