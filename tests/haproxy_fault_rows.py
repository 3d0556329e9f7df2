"""The faults of which HAProxy's own check was measured, each as a change of one sound file.

A row: its id in the table of measurements, what is wrong, the changes, and what gwlint says: codes,
all of which must be among the findings that the sound file has not. A row without codes has a
reason instead: a judgement call, no fault, or one that a configuration cannot show.

A change is `g LINE`, `d LINE`, `f LINE` or `b LINE` (added at the end of global, defaults,
frontend, backend), `a LINE` (at the end of the file) or `OLD => NEW`.
"""

from __future__ import annotations

from dataclasses import dataclass

SOUND = """\
global
    log 127.0.0.1:514 local0
    maxconn 2000

defaults
    mode http
    log global
    option httplog
    option redispatch
    option forwardfor
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout http-request 10s
    timeout queue 10s
    timeout check 1s

frontend fe
    bind 127.0.0.1:18080
    default_backend be

backend be
    balance roundrobin
    option httpchk
    http-check send meth GET uri /health ver HTTP/1.1 hdr Host app.example.com
    server s1 127.0.0.1:3001 check maxconn 100
    server s2 127.0.0.1:3002 check maxconn 100
"""

_ENDS = {
    "g ": "    maxconn 2000\n",
    "d ": "    timeout check 1s\n",
    "f ": "    default_backend be\n",
    "b ": "check maxconn 100\n",
}


def changed(changes: tuple[str, ...]) -> str:
    """The sound file with the changes made. Raises ValueError for words that it does not have."""
    text = SOUND
    added = dict.fromkeys(_ENDS, "")
    after = ""
    for change in changes:
        old, arrow, new = change.partition(" => ")
        if arrow:
            if old not in text:
                raise ValueError(f"not in the file: {old!r}")
            text = text.replace(old, new)
        elif change.startswith("a "):
            after += f"{change[2:]}\n"
        else:
            added[change[:2]] += f"    {change[2:]}\n"
    for kind, lines in added.items():
        if lines:
            end = text.rindex(_ENDS[kind]) + len(_ENDS[kind])
            text = text[:end] + lines + text[end:]
    return text + after


@dataclass(frozen=True)
class Row:
    """Either `codes` or `reason` is empty."""

    id: str
    fault: str
    changes: tuple[str, ...]
    codes: tuple[str, ...] = ()
    reason: str = ""


def _read(table: str) -> list[Row]:
    rows = []
    for line in table.strip().splitlines():
        id_, fault, changes, said = (part.strip() for part in line.split(" | "))
        codes = tuple(said.split()) if said.startswith(("HAP", "GTW")) else ()
        made = tuple(part for part in changes.split(" ;; ") if part != "-")
        made = tuple(part.replace("<nl>", "\n").replace("<mark>", "\ufeff") for part in made)
        rows.append(Row(id_, fault, made, codes, "" if codes else said))
    return rows


ROWS = _read(r"""
01 | no timeouts at all | timeout connect 5s => # ;; timeout client 30s => # ;; timeout server 30s => # | HAP301
02 | no timeout client | timeout client 30s => # | HAP301
03 | no timeout connect | timeout connect 5s => # | HAP301
04 | no timeout server | timeout server 30s => # | HAP301
05 | no timeout http-request | timeout http-request 10s => # | HAP303
06 | client below server in http | - | no fault in mode http: HAProxy ignores the client timeout while it waits
07 | connect above server | timeout connect 5s => timeout connect 40s | HAP306
08 | queue above server | timeout queue 10s => timeout queue 10m | judgement call: how long a client may queue is a decision
09 | tunnel below server | d timeout tunnel 5s | HAP304
10 | websocket without tunnel | f acl is_ws hdr(Upgrade) -i websocket ;; f use_backend be if is_ws | HAP304
11 | check above inter | timeout check 1s => timeout check 10s | HAP310
12 | time without unit | timeout server 30s => timeout server 30 | HAP302
13 | timeout 0 | timeout server 30s => timeout server 0 | HAP309
14 | timeout too large | timeout server 30s => timeout server 30d | HAP004
15 | decimal time | timeout server 30s => timeout server 1.5s | HAP004
16 | unknown unit | timeout server 30s => timeout server 30x | HAP004
17 | clitimeout | d clitimeout 5000 | HAP005
18 | no mode | mode http => # ;; f http-request deny if { src 192.0.2.1 } | HAP602
19 | modes differ | b mode tcp | HAP601
20 | no check | option httpchk => # ;; http-check => #http-check ;; check maxconn => maxconn | HAP501
21 | httpchk without check | check maxconn => maxconn | HAP502
22 | http-check without httpchk | option httpchk => # | HAP514
23 | TCP check only | option httpchk => # ;; http-check => #http-check | HAP503
24 | httpchk with Host | option httpchk => option httpchk GET /health HTTP/1.1\r\nHost:\ app ;; http-check => #http-check | HAP005
25 | slow detection | check maxconn => check inter 60s fall 10 maxconn | HAP308
26 | no redispatch | option redispatch => # | HAP504
27 | retries 0 | d retries 0 | HAP505
28 | retries of POST | d retry-on all-retryable-errors | HAP506
29 | retry-on in tcp | mode http => mode tcp ;; option httplog => option tcplog ;; option forwardfor => # ;; d retry-on all-retryable-errors | HAP512
30 | reuse never | d http-reuse never | HAP402
31 | reuse always | d http-reuse always | HAP403
32 | httpclose | d option httpclose | HAP401
33 | forceclose | d option forceclose | HAP005
34 | pretend-keepalive | d option http-pretend-keepalive | judgement call: a workaround for old servers
35 | no global maxconn | maxconn 2000 => #maxconn 2000 | HAP701
36 | no server maxconn |  maxconn 100 => <nothing> | judgement call: few servers need a limit
37 | frontend above global | f maxconn 5000 | HAP702
38 | minconn above maxconn | maxconn 100 => minconn 200 maxconn 100 | HAP702
39 | minconn alone | maxconn 100 => minconn 100 | HAP702
40 | fullconn without minconn | b fullconn 100 | HAP702
41 | bufsize 1024 | g tune.bufsize 1024 | HAP201
42 | maxrewrite eats bufsize | g tune.bufsize 4096 ;; g tune.maxrewrite 4000 | HAP201 HAP202
43 | maxhdr 10 | g tune.http.maxhdr 10 | HAP203
44 | name unresolvable | 127.0.0.1:3001 => nosuch.invalid:3001 | HAP112
45 | init-addr none | 127.0.0.1:3001 => nosuch.invalid:3001 init-addr none | HAP107 HAP112
46 | init-addr none, resolvers | - | sound: HAProxy starts, and resolves the name later
47 | name without resolvers | 127.0.0.1:3001 => localhost:3001 | HAP112
48 | resolvers undefined | 127.0.0.1:3001 => app.internal:3001 resolvers nope | HAP101
49 | resolvers without nameserver | 127.0.0.1:3001 => app.internal:3001 resolvers r init-addr none ;; a resolvers r<nl>    hold valid 5s | HAP106 HAP107
50 | resolvers payload | - | judgement call: the size that answers have is not in the configuration
51 | server without port | 127.0.0.1:3001 => 127.0.0.1 | HAP102
52 | port 70000 | 127.0.0.1:3001 => 127.0.0.1:70000 | HAP102
53 | server 0.0.0.0 | 127.0.0.1:3001 => 0.0.0.0:3001 | HAP112
54 | server is own bind | 127.0.0.1:3001 => 127.0.0.1:18080 ;; server s2 => #server s2 | HAP103
55 | same address twice | 127.0.0.1:3001 => 127.0.0.1:3002 | HAP104
56 | same server name twice | server s2 => server s1 | HAP905
57 | same cookie twice | b cookie S insert ;; check maxconn => cookie a check maxconn | HAP905
58 | cookie without server cookies | b cookie S insert | HAP113
59 | server cookies without cookie | server s1 127.0.0.1:3001 => server s1 127.0.0.1:3001 cookie a | HAP113
60 | no servers | server s1 => #s1 ;; server s2 => #s2 | HAP108
61 | all backup | check maxconn => backup check maxconn | HAP109
62 | all disabled | check maxconn => disabled check maxconn | HAP109
63 | weight 0 | check maxconn => weight 0 check maxconn | HAP109
64 | weight 300 | check maxconn => weight 300 check maxconn | HAP004
65 | use_backend undefined | f use_backend nope if { path /x } | HAP101
66 | default_backend undefined | default_backend be => default_backend nope | HAP101
67 | dynamic backend undefined | default_backend be => use_backend %[req.hdr(x-app)] | HAP111
68 | unused backend | a backend other<nl>    server o1 127.0.0.1:3009 check | HAP113
69 | undefined acl | f use_backend be if nope | HAP004
70 | unused acl | f acl unused path /x | HAP113
71 | acl without pattern | f acl any path ;; f use_backend be if any | HAP903
72 | or as pattern | f use_backend be if { path /a or path /b } | HAP903
73 | acl name used twice | - | no fault: that is how 'or' is written
74 | path with host | f http-request deny if { path example.com } | HAP903
75 | behind unconditional use_backend | f use_backend be ;; f use_backend other if { path /x } ;; a backend other<nl>    option httpchk<nl>    server o1 127.0.0.1:3009 check | HAP902 HAP902
76 | behind unconditional deny | f http-request deny ;; f http-request set-header X-A b | HAP902
77 | behind a broader rule | f use_backend be if { path_beg /api } ;; f use_backend other if { path_beg /api/v2 } ;; a backend other<nl>    server o1 127.0.0.1:3009 | HAP902
78 | use_backend twice | f use_backend be if { path /x } ;; f use_backend be if { path /x } | HAP902
79 | http-request behind use_backend | f use_backend be if { path /x } ;; f http-request set-header X-A b | HAP901
80 | tcp-request behind http-request | f http-request set-header X-A b ;; f tcp-request content accept if { src 192.0.2.1 } | HAP901
81 | no bind | bind 127 => #bind 127 | HAP902
82 | no backend | default_backend be => # | HAP110
83 | same bind twice | a frontend f2<nl>    bind 127.0.0.1:18080<nl>    default_backend be | HAP905
84 | same frontend twice | a frontend fe<nl>    bind 127.0.0.1:18081<nl>    default_backend be | HAP905
85 | same backend twice | a backend be<nl>    option httpchk<nl>    server s1 127.0.0.1:3009 check | HAP905
86 | frontend and backend of one name | frontend fe => frontend be | HAP905
87 | listen with servers and default_backend | a listen l<nl>    bind 127.0.0.1:18082<nl>    default_backend be<nl>    server o1 127.0.0.1:3009 check | HAP902
88 | server in frontend | f server s1 127.0.0.1:3009 | HAP003
89 | bind in backend | b bind 127.0.0.1:18083 | HAP003
90 | stats without auth | a listen st<nl>    bind :8404<nl>    stats enable<nl>    stats uri / | HAP801
91 | admin:admin | a listen st<nl>    bind :8404<nl>    stats enable<nl>    stats uri /<nl>    stats auth admin:admin | HAP801
92 | socket mode 666 | g stats socket /run/h.sock mode 666 level admin | HAP803
93 | verify none | 127.0.0.1:3001 => 10.0.0.5:8443 ssl verify none | HAP605
94 | ssl without ca-file | 127.0.0.1:3001 => 127.0.0.1:3001 ssl | HAP604
95 | ssl-server-verify none | g ssl-server-verify none ;; 127.0.0.1:3001 => 10.0.0.5:8443 ssl | HAP605
96 | any name accepted | 127.0.0.1:3001 => 10.0.0.5:8443 ssl verify required ca-file /etc/ssl/certs/ca-certificates.crt | HAP606
97 | server :443 without ssl | 127.0.0.1:3001 => 10.0.0.5:443 | HAP105
98 | bind :443 without ssl | bind 127.0.0.1:18080 => bind :443 | HAP105
99 | crt without ssl | bind 127.0.0.1:18080 => bind 127.0.0.1:18080 crt /etc/h.pem | HAP105
A0 | ssl without crt | bind 127.0.0.1:18080 => bind 127.0.0.1:18080 ssl | HAP004
A1 | default TLS settings | bind 127.0.0.1:18080 => bind :443 ssl crt /etc/h.pem | HAP806
A2 | TLSv1.0 | bind 127.0.0.1:18080 => bind :443 ssl crt /etc/h.pem ssl-min-ver TLSv1.0 | HAP804
A3 | RC4 | bind 127.0.0.1:18080 => bind :443 ssl crt /etc/h.pem ciphers RC4-MD5:DES-CBC3-SHA | HAP805
A4 | no-tlsv12 | bind 127.0.0.1:18080 => bind :443 ssl crt /etc/h.pem no-tlsv12 | HAP804
A5 | no-sslv3 | g ssl-default-bind-options no-sslv3 | judgement call: without effect since SSLv3 is gone
A6 | dh-param 1024 | g tune.ssl.default-dh-param 1024 | HAP805
A7 | crt missing | - | needs the file system: whether the file is there is not in the configuration
A8 | proto h2 without ssl | 127.0.0.1:3001 => 127.0.0.1:3001 proto h2 | HAP607
A9 | alpn h2 without ssl | 127.0.0.1:3001 => 127.0.0.1:3001 alpn h2 | HAP607
B0 | check without PROXY | server s1 127.0.0.1:3001 => server s1 10.0.0.5:3001 send-proxy port 3001 | HAP515
B1 | send-proxy twice | 127.0.0.1:3001 => 10.0.0.5:3001 send-proxy send-proxy-v2 | HAP905
B2 | accept-proxy open | bind 127.0.0.1:18080 => bind :8080 accept-proxy | HAP609
B3 | forwardfor in tcp | mode http => mode tcp ;; f option forwardfor | HAP602
B4 | httplog in tcp | mode http => mode tcp ;; option forwardfor => # | HAP602
B5 | no log |     log global => # ;; option httplog => # ;; log 127 => #log 127 | HAP904
B6 | log global without target | log 127 => #log 127 | HAP904
B7 | no httplog | option httplog => option dontlognull | HAP904
B8 | balance source by map | balance roundrobin => balance source | judgement call: rehashing on failure may be acceptable
B9 | url_param in tcp | mode http => mode tcp ;; balance roundrobin => balance url_param id | HAP602
C0 | on-error without observe | check maxconn => check on-error mark-down maxconn | HAP510
C1 | observe without check | check maxconn => observe layer7 maxconn | HAP502 HAP510
C2 | observe layer7 in tcp | mode http => mode tcp ;; check maxconn => check observe layer7 maxconn | HAP602
C3 | slowstart without check | check maxconn => slowstart 10s maxconn | HAP502 HAP510
C4 | agent-check without port | check maxconn => check agent-check maxconn | HAP004
C5 | default-server behind servers | b default-server inter 1s | HAP513
C6 | default-server with address | b default-server 127.0.0.1:80 | HAP002
C7 | unknown keyword | default_backend => defualt_backend | HAP002
C8 | unknown server keyword | check maxconn => chekc maxconn | HAP002
C9 | timeout server in frontend | f timeout server 20s | HAP003
D0 | timeout twice | d timeout server 20s | HAP905
D1 | two balance | b balance leastconn | HAP905
D2 | two default_backend | f default_backend other ;; a backend other<nl>    server o1 127.0.0.1:3009 check | HAP905
D3 | two connection modes | d option http-server-close ;; d option http-keep-alive | HAP905
D4 | reqadd | f reqadd X-A:\ b | HAP005
D5 | block | f block if { path /x } | HAP005
D6 | nbproc | g nbproc 4 | HAP005
D7 | program section | a program p<nl>    command /bin/true | HAP005
D8 | dispatch | a listen l<nl>    bind 127.0.0.1:18082<nl>    dispatch 127.0.0.1:3009 | HAP005
D9 | global behind frontend | a global<nl>    daemon | HAP901
E0 | no final newline | server s2 127.0.0.1:3002 check maxconn 100<nl> => server s2 127.0.0.1:3002 check maxconn 100 | HAP006
E1 | CRLF | - | no fault: HAProxy reads it
E2 | backslash at the end | 127.0.0.1:3001 check => 127.0.0.1:3001 \<nl>        check | HAP002
E3 | byte order mark | global<nl> => <mark>global<nl> | HAP006
E4 | unset variable in quotes | 127.0.0.1:3001 => "$NOPE:3001" | HAP008
E5 | unset variable | 127.0.0.1:3001 => $NOPE:3001 | HAP008
E6 | empty argument | 127.0.0.1:3001 check => 127.0.0.1:3001 "" check | HAP007
E7 | unmatched quote | 127.0.0.1:3001 => "127.0.0.1:3001 | HAP001
E8 | template | b {% for s in servers %} ;; b server {{ s }} 127.0.0.1:1 ;; b {% endfor %} | GTW002
E9 | .if without end | a .if defined(X) | HAP001
F0 | errorfile missing | - | needs the file system
F1 | acl file missing | - | needs the file system
F2 | user absent | - | needs the system's list of users
F3 | insecure-password | a userlist u<nl>    user joe insecure-password secret | HAP807
F4 | password of MD5 | a userlist u<nl>    user joe password $1$abc$0123456789abcdefghijk. | HAP807
F5 | peers without local peer | g localpeer gw1 ;; a peers p<nl>    peer gw2 127.0.0.1:9999 | HAP101
F6 | stick-table without expire | b stick-table type ip size 1m | judgement call: how long entries are of use is a decision; a full table drops the oldest
F7 | stick on without table | b stick on src | HAP101
F8 | track-sc without table | f http-request track-sc0 src | HAP101
F9 | cache undefined | b filter cache nope ;; b http-request cache-use nope | HAP101
G0 | http-request timeout in backend | timeout http-request 10s => # ;; b timeout http-request 10s | HAP303
G1 | timeout in global | g timeout client 5s | HAP003
G2 | privileged port | - | judgement call: depends on the user and the rights that HAProxy starts with
G3 | pool-max-conn 0 | check maxconn => check pool-max-conn 0 maxconn | HAP402
G4 | pool-purge-delay 1h | check maxconn => check pool-purge-delay 1h maxconn | judgement call: how long the application keeps connections is not in the configuration
G5 | shutdown-sessions | - | judgement call: right for some applications
G6 | rise and fall 100 | check maxconn => check rise 100 fall 100 maxconn | HAP308
G7 | monitor-uri without monitor fail | f monitor-uri /alive | judgement call: a check of HAProxy itself
G8 | alpn without http/1.1 | bind 127.0.0.1:18080 => bind :443 ssl crt /etc/h.pem alpn h2 | judgement call: clients without ALPN still get HTTP/1
G9 | Connection: close as a header | f http-request set-header Connection close | HAP401
H0 | abortonclose | - | judgement call
H1 | no http-buffer-request | - | judgement call
H2 | no allbackups | - | judgement call
H3 | persist | - | judgement call
H4 | servers above global | maxconn 100 => maxconn 5000 | HAP702
H5 | defaults undefined | a defaults d2 from nope | HAP101
H6 | check without Host | http-check send meth GET uri /health ver HTTP/1.1 hdr Host app.example.com => http-check send meth GET uri /health ver HTTP/1.1 | HAP507
H7 | several expects | - | no fault: each expect belongs to a check step
H8 | port by difference | 127.0.0.1:3001 => 127.0.0.1:+1000 | HAP102
H9 | leastconn without slowstart | - | judgement call
I0 | behind unconditional return | f http-request return status 200 ;; f http-request set-header X-A b | HAP902
I1 | no inspect-delay | mode http => mode tcp ;; option forwardfor => # ;; option httplog => option tcplog ;; f tcp-request content accept if { req.ssl_hello_type 1 } ;; f use_backend be if { req.ssl_sni a.example.com } | HAP903
I2 | req.ssl_sni without inspection | mode http => mode tcp ;; option forwardfor => # ;; option httplog => option tcplog ;; f use_backend be if { req.ssl_sni a.example.com } | HAP903
I3 | http ACL in tcp | mode http => mode tcp ;; option forwardfor => # ;; option httplog => option tcplog ;; f use_backend be if { path_beg /api } | HAP903
I4 | response sample in a request rule | f use_backend be if { status 200 } | HAP903
I5 | log target in a chroot | - | needs the file system
I6 | no sni | 127.0.0.1:3001 => 127.0.0.1:3001 ssl verify required verifyhost a.example.com ca-file /etc/ca.pem | HAP603
I7 | server-template | - | no fault
I8 | use-server undefined | b use-server nope if { path /x } | HAP101
I9 | track undefined | check maxconn => track nope/s1 maxconn | HAP101
""")  # noqa: E501
