"""Real proxies on loopback ports against origins that misbehave on purpose.

A scenario holds four things: an `Origin` (or a `BlackHole`, or a port that refuses), the faulty
configuration, the corrected one, and what a client sees of each:

    def test_ngx201_header_buffer_too_small(nginx: Binary, correct: Correction) -> None:
        port = free_port()
        with Origin(Answer(headers=padding(3000))) as origin:
            faulty = http(f"server {{ listen 127.0.0.1:{port}; ... proxy_buffer_size 2k; }}")
            good = correct(faulty, "NGX201", {"proxy_buffer_size 2k": "proxy_buffer_size 8k"})
            with run_nginx(faulty, port, nginx) as proxy:
                assert get(port).result == 502
                assert proxy.logged("upstream sent too big header")
            with run_nginx(good, port, nginx):
                assert get(port).result == 200

The fixtures run it with each version of the server, and with each correction: the one by hand,
which proves the scenario, and the one by `gwlint fix`, which proves gwlint. Where a rule has no
fix, `replaced` makes the one by hand. Long times are divided by `hurried`, in both texts alike.

Nothing here talks to any address but 127.0.0.0/8, every wait has a limit, and leaving a `with`
ends what it started.
"""
