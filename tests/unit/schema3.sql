-- A database as schema 3 had it, with a crawl of eight simulated nodes of Ethereum and three
-- ghosts: what `.dump` of the sqlite3 shell wrote of a file made by the program as it was then,
-- and its two numbers. The rows of book, books and book_values were put in by hand.
PRAGMA application_id = 1886874731;
PRAGMA user_version = 3;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE networks(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO networks VALUES(1,'ethereum');
CREATE TABLE outcomes( -- how a visit can end
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  text TEXT NOT NULL
) STRICT;
INSERT INTO outcomes VALUES(0,'ok','answered, and named peers');
INSERT INTO outcomes VALUES(1,'no_peers','answered, but named nobody');
INSERT INTO outcomes VALUES(2,'refused','nothing listens there: the connection was refused');
INSERT INTO outcomes VALUES(3,'unreachable','no route leads there');
INSERT INTO outcomes VALUES(4,'connect_timeout','no answer to the connection attempt');
INSERT INTO outcomes VALUES(5,'reset','the connection was reset');
INSERT INTO outcomes VALUES(6,'full','accepted, then closed without a byte: full, or we are banned');
INSERT INTO outcomes VALUES(7,'mute','accepted the connection, but never spoke');
INSERT INTO outcomes VALUES(8,'handshake_timeout','spoke, but did not finish the handshake');
INSERT INTO outcomes VALUES(9,'wrong_network','speaks for another network');
INSERT INTO outcomes VALUES(10,'protocol_error','broke a rule of the protocol');
INSERT INTO outcomes VALUES(11,'too_big','announced or sent more than the protocol allows');
INSERT INTO outcomes VALUES(12,'self','this is ourselves');
INSERT INTO outcomes VALUES(13,'cancelled','stopped before it ended');
CREATE TABLE kinds( -- of addresses
  id INTEGER PRIMARY KEY, -- network id of BIP 155
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO kinds VALUES(0,'none');
INSERT INTO kinds VALUES(1,'ipv4');
INSERT INTO kinds VALUES(2,'ipv6');
INSERT INTO kinds VALUES(3,'onion2');
INSERT INTO kinds VALUES(4,'onion');
INSERT INTO kinds VALUES(5,'i2p');
INSERT INTO kinds VALUES(6,'cjdns');
CREATE TABLE crawls(
  id INTEGER PRIMARY KEY,
  network_id INTEGER NOT NULL REFERENCES networks,
  started_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER, -- NULL while running, or after an interruption
  complete INTEGER NOT NULL DEFAULT 0, -- nobody was left to ask
  known INTEGER NOT NULL DEFAULT 0,
  visited INTEGER NOT NULL DEFAULT 0,
  reached INTEGER NOT NULL DEFAULT 0,
  adverts INTEGER NOT NULL DEFAULT 0,
  bytes_in INTEGER NOT NULL DEFAULT 0,
  bytes_out INTEGER NOT NULL DEFAULT 0,
  cpu_seconds REAL NOT NULL DEFAULT 0,
  max_rss_bytes INTEGER NOT NULL DEFAULT 0,
  settings TEXT NOT NULL DEFAULT '{}' -- JSON: the options that shaped it
) STRICT;
INSERT INTO crawls VALUES(1,1,1795972429893,1795972434009,1,11,11,8,272,35895,17000,0.64199399999999995358,10317824,'{"concurrency":10000,"connect_timeout_ms":5000,"threads":2,"rate":0.0,"patient":false,"allow_private":true,"adverts":true,"agent":"peerwalk/v0.1.0"}');
CREATE TABLE peers( -- one row an address
  id INTEGER PRIMARY KEY,
  network_id INTEGER NOT NULL REFERENCES networks,
  key BLOB NOT NULL, -- kind, address, port (big-endian)
  kind INTEGER NOT NULL REFERENCES kinds,
  address TEXT NOT NULL, -- RFC 5952, without brackets; or a name
  port INTEGER NOT NULL,
  node_id TEXT NOT NULL DEFAULT '', -- hex
  crawl_id INTEGER REFERENCES crawls, -- newest that knew it; NULL: only named
  first_seen_ms INTEGER NOT NULL,
  last_seen_ms INTEGER NOT NULL,
  last_reached_ms INTEGER, -- when a handshake was last completed
  visits INTEGER NOT NULL DEFAULT 0, -- crawls that visited it
  reached_count INTEGER NOT NULL DEFAULT 0,
  -- the newest visit:
  visit_crawl_id INTEGER REFERENCES crawls,
  visit_at_ms INTEGER,
  outcome INTEGER REFERENCES outcomes,
  reached INTEGER,
  connect_ms INTEGER,
  handshake_ms INTEGER,
  -- the newest visit in which it said who it is:
  agent ANY, -- as sent; a BLOB where it is no UTF-8
  protocol INTEGER,
  services INTEGER,
  height INTEGER, -- -1: not said
  -- what others say of it:
  claimed_services INTEGER,
  claimed_seen_s INTEGER, tcp_port INTEGER,
  UNIQUE(network_id, key)
) STRICT;
INSERT INTO peers VALUES(1,1,X'017f8d2ed2765f61f4e438aeaba108c1fd91c1bd816921009b45bdfc43a51c3f0a7ca519562c04058175f77923ecac03d86cc9fbd7fb2e1d8f29d8bb9d88ecaf824c00eaca5502',1,'127.141.46.210',30303,'61f4e438aeaba108c1fd91c1bd816921009b45bdfc43a51c3f0a7ca519562c04058175f77923ecac03d86cc9fbd7fb2e1d8f29d8bb9d88ecaf824c00eaca5502',1,1795972429966,1795972429974,1795972429984,1,1,1,1795972429974,0,1,10,10,'Geth/v1.6.4-de0ed0ed/linux-amd64/go1.25.5',68,0,-1,NULL,NULL,30303);
INSERT INTO peers VALUES(2,1,X'017f6eb397765f6a9f6d1ca119531311899c67611f4816c56346df891fa2aa84a0267d67d0b33faeb0ed9fd15cdf5ba6358e318cce81cc75f4f3cc39881c6e800a857fa97b275a',1,'127.110.179.151',30303,'6a9f6d1ca119531311899c67611f4816c56346df891fa2aa84a0267d67d0b33faeb0ed9fd15cdf5ba6358e318cce81cc75f4f3cc39881c6e800a857fa97b275a',1,1795972429993,1795972429993,1795972430002,1,1,1,1795972429993,0,1,9,9,'Geth/v1.16.7-stable-b9f3a3d9/linux-amd64/go1.25.1',69,0,26399999,NULL,NULL,30303);
INSERT INTO peers VALUES(3,1,X'017f794d72765fa6a718f820e6616426a04483c442374026b22685c61c1d3f031aa7d72638dd7d0a9572d5c544ad62c73f08a82f3f12849d377220735b23832dc01e79f37f2e8b',1,'127.121.77.114',30303,'a6a718f820e6616426a04483c442374026b22685c61c1d3f031aa7d72638dd7d0a9572d5c544ad62c73f08a82f3f12849d377220735b23832dc01e79f37f2e8b',1,1795972429993,1795972429993,1795972430002,1,1,1,1795972429993,0,1,9,9,'Nethermind/v1.36.2+3b1b6f8d/linux-x64/dotnet10.0.3',69,0,26400000,NULL,NULL,30303);
INSERT INTO peers VALUES(4,1,X'017f146d1e765f22da0578158fbf674583ca0591ad4926d9c6e2531df210c9dee9ec40622659239bf7facd2884180884ba7f0a35bc552ad73f85d3b6799e37e66fd686e5e5e822',1,'127.20.109.30',30303,'22da0578158fbf674583ca0591ad4926d9c6e2531df210c9dee9ec40622659239bf7facd2884180884ba7f0a35bc552ad73f85d3b6799e37e66fd686e5e5e822',1,1795972429993,1795972429993,1795972430002,1,1,1,1795972429993,0,1,9,9,'reth/v1.9.3-27a8c0f5/x86_64-unknown-linux-gnu',69,0,26399998,NULL,NULL,30303);
INSERT INTO peers VALUES(5,1,X'017f06ce40765fa84c56b915b71876b441af554b4e9fec78cd122de55cbb516c14c6a94c5b895dac3cb98ea2d77cd27382b36d4ae99c6e33eed86ebd5c0b066213064785dc2eb9',1,'127.6.206.64',30303,'a84c56b915b71876b441af554b4e9fec78cd122de55cbb516c14c6a94c5b895dac3cb98ea2d77cd27382b36d4ae99c6e33eed86ebd5c0b066213064785dc2eb9',1,1795972429993,1795972429993,1795972430005,1,1,1,1795972429993,0,1,12,12,'Geth/v1.17.1-stable-be5f3a7e/linux-amd64/go1.26.0',70,0,26400000,NULL,NULL,30303);
INSERT INTO peers VALUES(6,1,X'017f3bbbad765f9a67d4864388c162b049b364e89cdba6bcd230af25733488a7f75b6da30fe061ae5ccf11d654aff796a0f3b6ee2ddc0adb818d868cab1ab44b90ed622d3d0779',1,'127.59.187.173',30303,'9a67d4864388c162b049b364e89cdba6bcd230af25733488a7f75b6da30fe061ae5ccf11d654aff796a0f3b6ee2ddc0adb818d868cab1ab44b90ed622d3d0779',1,1795972429993,1795972429993,1795972430002,1,1,1,1795972429993,0,1,9,9,NULL,NULL,NULL,NULL,NULL,NULL,30303);
INSERT INTO peers VALUES(7,1,X'017f84481a765f5442f23ff3b594fc405e6e8c374c1c1e531299c112d50915d30dd4a8113d54c49d317013cc8f1e802714f1081187cd552f0e2e681a58cfac9c320c84fb39a178',1,'127.132.72.26',30303,'5442f23ff3b594fc405e6e8c374c1c1e531299c112d50915d30dd4a8113d54c49d317013cc8f1e802714f1081187cd552f0e2e681a58cfac9c320c84fb39a178',1,1795972429993,1795972429993,1795972430002,1,1,1,1795972429993,0,1,9,9,'Nethermind/v1.25.4+20b10b35/linux-x64/dotnet8.0.2',68,0,-1,NULL,NULL,30303);
INSERT INTO peers VALUES(8,1,X'017f7dea60765fbba25b90f80152d876006f8c450ed4ed0de041bb451ad3f83b33bc5ca60a185d5710993bc429c1df1daa9a4f173b12efb19ffafce3d69a6bc3154dd4168ca287',1,'127.125.234.96',30303,'bba25b90f80152d876006f8c450ed4ed0de041bb451ad3f83b33bc5ca60a185d5710993bc429c1df1daa9a4f173b12efb19ffafce3d69a6bc3154dd4168ca287',1,1795972429993,1795972429993,1795972430002,1,1,1,1795972429993,0,1,9,9,NULL,NULL,NULL,NULL,NULL,NULL,30303);
INSERT INTO peers VALUES(9,1,X'017f8a9e19765ff6e0ed9f2ac46a6f0e53108b7917fb1a3f4a454e48a8d10ed8c7db1ae70afa96b8ab731566d29c57ff0c33519fb0ade48233cb2fb47487e7b12a74c49140c434',1,'127.138.158.25',30303,'f6e0ed9f2ac46a6f0e53108b7917fb1a3f4a454e48a8d10ed8c7db1ae70afa96b8ab731566d29c57ff0c33519fb0ade48233cb2fb47487e7b12a74c49140c434',1,1795972430008,1795972430008,NULL,1,0,1,1795972433008,4,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,30303);
INSERT INTO peers VALUES(10,1,X'017f0f5049765f3beea4814d5a9e28ce9e1d323dfbd8cd8b54cf5b494b65864b5ff6c04c92f81bb323aea2b64ea419a6bcbe21692fb43cf680c1bb280b2927c030e974757e0460',1,'127.15.80.73',30303,'3beea4814d5a9e28ce9e1d323dfbd8cd8b54cf5b494b65864b5ff6c04c92f81bb323aea2b64ea419a6bcbe21692fb43cf680c1bb280b2927c030e974757e0460',1,1795972430008,1795972430008,NULL,1,0,1,1795972433008,4,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,30303);
INSERT INTO peers VALUES(11,1,X'017f321f67765f3a9e3a25aedab6265224289332ac08756718c0097e059be174734480ffd49efcb723c5f67f3d729739db95f7c65f073a7f9563c78f622f75efa3badaa686a995',1,'127.50.31.103',30303,'3a9e3a25aedab6265224289332ac08756718c0097e059be174734480ffd49efcb723c5f67f3d729739db95f7c65f073a7f9563c78f622f75efa3badaa686a995',1,1795972430008,1795972430008,NULL,1,0,1,1795972433008,4,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,30303);
CREATE TABLE visits( -- one row for each crawl and peer; NULL: not reached, not said
  id INTEGER PRIMARY KEY,
  crawl_id INTEGER NOT NULL REFERENCES crawls,
  peer_id INTEGER NOT NULL REFERENCES peers,
  started_at_ms INTEGER NOT NULL,
  outcome INTEGER NOT NULL REFERENCES outcomes,
  reached INTEGER NOT NULL, -- a handshake was completed
  tries INTEGER NOT NULL, -- connection attempts
  stepwise INTEGER NOT NULL, -- shook hands only in the step-by-step order
  rule TEXT, -- the rule it broke
  connect_ms INTEGER, -- each time counts from the start of the last attempt
  version_ms INTEGER,
  handshake_ms INTEGER,
  reply_ms INTEGER, -- the first answer with more than one address
  total_ms INTEGER,
  agent ANY, -- as sent; a BLOB where it is no UTF-8
  node_id TEXT, -- hex
  negotiation ANY, -- its messages up to the end of the handshake
  protocol INTEGER,
  services INTEGER,
  height INTEGER, -- -1: not said
  relay INTEGER,
  clock_skew_s INTEGER, -- its clock minus ours
  feefilter INTEGER, -- satoshi per 1000 vbytes
  sees_us_as TEXT,
  adverts INTEGER NOT NULL, -- addresses named, with repeats
  adverts_new INTEGER NOT NULL, -- not known before in this crawl
  adverts_cut INTEGER NOT NULL, -- over the cap for one peer
  messages_in INTEGER NOT NULL,
  unknown_in INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  UNIQUE(crawl_id, peer_id)
) STRICT;
INSERT INTO visits VALUES(1,1,6,1795972429993,0,1,1,0,NULL,9,NULL,9,16,1246,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'127.0.0.1:40430',40,0,0,7,0,4757,1866);
INSERT INTO visits VALUES(2,1,8,1795972429993,0,1,1,0,NULL,9,NULL,9,25,1247,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'127.0.0.1:40430',28,0,0,7,0,3821,1765);
INSERT INTO visits VALUES(3,1,3,1795972429993,0,1,1,0,NULL,9,NULL,9,15,1253,'Nethermind/v1.36.2+3b1b6f8d/linux-x64/dotnet10.0.3',NULL,NULL,69,0,26400000,0,NULL,NULL,'127.0.0.1:40430',40,3,0,7,0,5059,1944);
INSERT INTO visits VALUES(4,1,4,1795972429993,0,1,1,0,NULL,9,NULL,9,25,1264,'reth/v1.9.3-27a8c0f5/x86_64-unknown-linux-gnu',NULL,NULL,69,0,26399998,0,NULL,NULL,'127.0.0.1:40430',40,0,0,7,0,5083,1987);
INSERT INTO visits VALUES(5,1,1,1795972429974,0,1,1,0,NULL,10,NULL,10,19,1296,'Geth/v1.6.4-de0ed0ed/linux-amd64/go1.25.5',NULL,NULL,68,0,-1,0,NULL,NULL,'127.0.0.1:46244',28,7,0,7,0,3997,2058);
INSERT INTO visits VALUES(6,1,2,1795972429993,0,1,1,0,NULL,9,NULL,9,13,1288,'Geth/v1.16.7-stable-b9f3a3d9/linux-amd64/go1.25.1',NULL,NULL,69,0,26399999,0,NULL,NULL,'127.0.0.1:40430',28,0,0,7,0,4118,2093);
INSERT INTO visits VALUES(7,1,7,1795972429993,0,1,1,0,NULL,9,NULL,9,25,1293,'Nethermind/v1.25.4+20b10b35/linux-x64/dotnet8.0.2',NULL,NULL,68,0,-1,0,NULL,NULL,'127.0.0.1:40430',40,0,0,7,0,4988,1945);
INSERT INTO visits VALUES(8,1,5,1795972429993,0,1,1,0,NULL,12,NULL,12,25,1297,'Geth/v1.17.1-stable-be5f3a7e/linux-amd64/go1.26.0',NULL,NULL,70,0,26400000,0,NULL,NULL,'127.0.0.1:40430',28,0,0,7,0,4072,1890);
INSERT INTO visits VALUES(12,1,9,1795972433008,4,0,2,0,NULL,NULL,NULL,NULL,NULL,1000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0,0,121);
INSERT INTO visits VALUES(13,1,10,1795972433008,4,0,2,0,NULL,NULL,NULL,NULL,NULL,1000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0,0,121);
INSERT INTO visits VALUES(14,1,11,1795972433008,4,0,2,0,NULL,NULL,NULL,NULL,NULL,1000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,0,0,0,0,0,121);
CREATE TABLE adverts( -- who named whom, once a crawl
  crawl_id INTEGER NOT NULL REFERENCES crawls,
  from_id INTEGER NOT NULL REFERENCES peers,
  peer_id INTEGER NOT NULL REFERENCES peers,
  at_ms INTEGER NOT NULL,
  services INTEGER NOT NULL, -- as claimed by the one who named it
  last_seen_s INTEGER NOT NULL, -- likewise
  PRIMARY KEY(crawl_id, from_id, peer_id)
) STRICT, WITHOUT ROWID;
INSERT INTO adverts VALUES(1,1,2,1795972430922,0,0);
INSERT INTO adverts VALUES(1,1,3,1795972430922,0,0);
INSERT INTO adverts VALUES(1,1,4,1795972430922,0,0);
INSERT INTO adverts VALUES(1,1,5,1795972430922,0,0);
INSERT INTO adverts VALUES(1,1,6,1795972430922,0,0);
INSERT INTO adverts VALUES(1,1,7,1795972430922,0,0);
INSERT INTO adverts VALUES(1,1,8,1795972430922,0,0);
INSERT INTO adverts VALUES(1,2,1,1795972430941,0,0);
INSERT INTO adverts VALUES(1,2,3,1795972430941,0,0);
INSERT INTO adverts VALUES(1,2,4,1795972430941,0,0);
INSERT INTO adverts VALUES(1,2,5,1795972430941,0,0);
INSERT INTO adverts VALUES(1,2,6,1795972430941,0,0);
INSERT INTO adverts VALUES(1,2,7,1795972430941,0,0);
INSERT INTO adverts VALUES(1,2,8,1795972430941,0,0);
INSERT INTO adverts VALUES(1,3,1,1795972430927,0,0);
INSERT INTO adverts VALUES(1,3,2,1795972430927,0,0);
INSERT INTO adverts VALUES(1,3,4,1795972430927,0,0);
INSERT INTO adverts VALUES(1,3,5,1795972430927,0,0);
INSERT INTO adverts VALUES(1,3,6,1795972430927,0,0);
INSERT INTO adverts VALUES(1,3,7,1795972430927,0,0);
INSERT INTO adverts VALUES(1,3,8,1795972430927,0,0);
INSERT INTO adverts VALUES(1,3,9,1795972430927,0,0);
INSERT INTO adverts VALUES(1,3,10,1795972430927,0,0);
INSERT INTO adverts VALUES(1,3,11,1795972430927,0,0);
INSERT INTO adverts VALUES(1,4,1,1795972430938,0,0);
INSERT INTO adverts VALUES(1,4,2,1795972430938,0,0);
INSERT INTO adverts VALUES(1,4,3,1795972430938,0,0);
INSERT INTO adverts VALUES(1,4,5,1795972430938,0,0);
INSERT INTO adverts VALUES(1,4,6,1795972430938,0,0);
INSERT INTO adverts VALUES(1,4,7,1795972430938,0,0);
INSERT INTO adverts VALUES(1,4,8,1795972430938,0,0);
INSERT INTO adverts VALUES(1,4,9,1795972430938,0,0);
INSERT INTO adverts VALUES(1,4,10,1795972430938,0,0);
INSERT INTO adverts VALUES(1,4,11,1795972430938,0,0);
INSERT INTO adverts VALUES(1,5,1,1795972430947,0,0);
INSERT INTO adverts VALUES(1,5,2,1795972430947,0,0);
INSERT INTO adverts VALUES(1,5,3,1795972430947,0,0);
INSERT INTO adverts VALUES(1,5,4,1795972430947,0,0);
INSERT INTO adverts VALUES(1,5,6,1795972430947,0,0);
INSERT INTO adverts VALUES(1,5,7,1795972430947,0,0);
INSERT INTO adverts VALUES(1,5,8,1795972430947,0,0);
INSERT INTO adverts VALUES(1,6,1,1795972430934,0,0);
INSERT INTO adverts VALUES(1,6,2,1795972430934,0,0);
INSERT INTO adverts VALUES(1,6,3,1795972430934,0,0);
INSERT INTO adverts VALUES(1,6,4,1795972430934,0,0);
INSERT INTO adverts VALUES(1,6,5,1795972430934,0,0);
INSERT INTO adverts VALUES(1,6,7,1795972430934,0,0);
INSERT INTO adverts VALUES(1,6,8,1795972430934,0,0);
INSERT INTO adverts VALUES(1,6,9,1795972430934,0,0);
INSERT INTO adverts VALUES(1,6,10,1795972430934,0,0);
INSERT INTO adverts VALUES(1,6,11,1795972430934,0,0);
INSERT INTO adverts VALUES(1,7,1,1795972430944,0,0);
INSERT INTO adverts VALUES(1,7,2,1795972430944,0,0);
INSERT INTO adverts VALUES(1,7,3,1795972430944,0,0);
INSERT INTO adverts VALUES(1,7,4,1795972430944,0,0);
INSERT INTO adverts VALUES(1,7,5,1795972430944,0,0);
INSERT INTO adverts VALUES(1,7,6,1795972430944,0,0);
INSERT INTO adverts VALUES(1,7,8,1795972430944,0,0);
INSERT INTO adverts VALUES(1,7,9,1795972430944,0,0);
INSERT INTO adverts VALUES(1,7,10,1795972430944,0,0);
INSERT INTO adverts VALUES(1,7,11,1795972430944,0,0);
INSERT INTO adverts VALUES(1,8,1,1795972430934,0,0);
INSERT INTO adverts VALUES(1,8,2,1795972430934,0,0);
INSERT INTO adverts VALUES(1,8,3,1795972430934,0,0);
INSERT INTO adverts VALUES(1,8,4,1795972430934,0,0);
INSERT INTO adverts VALUES(1,8,5,1795972430934,0,0);
INSERT INTO adverts VALUES(1,8,6,1795972430934,0,0);
INSERT INTO adverts VALUES(1,8,7,1795972430934,0,0);
CREATE TABLE nodes( -- nodes that ever answered: the newest that each said
  peer_id INTEGER PRIMARY KEY REFERENCES peers,
  first_reached_ms INTEGER,
  completeness TEXT, -- of its table: drained, partial, timed_out; NULL: not asked
  findnodes INTEGER, -- questions that took
  entries INTEGER, -- different nodes in its table
  record TEXT, -- enr:...
  record_seq INTEGER,
  session TEXT, -- how the TCP session ended; NULL: none was tried
  session_rule TEXT, -- the rule it broke there
  capabilities ANY, -- eth/68 snap/1; NULL: no Hello
  listen_port INTEGER, -- as its Hello says
  fork_hash BLOB, -- EIP-2124
  fork_next INTEGER, -- 0: none known
  eth_network INTEGER, -- the network id of its Status
  genesis BLOB,
  head BLOB -- hash of its newest block
) STRICT;
INSERT INTO nodes VALUES(1,1795972429974,'drained',4,7,'enr:-J24QFDd-NQB62GG2974K8IfDTD88oHxQya1xxB9IiaUvZ0LdtBv5pmX-_7iLtXMZnVad642Gs1G2V4Znvv2FU_S7g-GAaERbxlig2V0aMfGhAfJRi6AgmlkgnY0gmlwhH-NLtKJc2VjcDI1NmsxoQJh9OQ4rquhCMH9kcG9gWkhAJtFvfxDpRw_CnylGVYsBIN0Y3CCdl-DdWRwgnZf',1791293856098,'ok',NULL,'eth/68 bsc/1 snap/1',30303,X'07c9462e',0,1,X'd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',X'73bef867912cad92f9aa363c7864461bfddc51966c60e389a2de9bebdd575b97');
INSERT INTO nodes VALUES(2,1795972429993,'drained',4,7,'enr:-J24QOT58z2QQ9MJeaMBfqK4SijbiaaO3nXAFrCQkBQroq4vGiA739F0dZSIRx-qxREU3VewINiLaYCFzETR8povTxaGAZ-AJNTUg2V0aMfGhEssgRuAgmlkgnY0gmlwhH9us5eJc2VjcDI1NmsxoQJqn20coRlTExGJnGdhH0gWxWNG34kfoqqEoCZ9Z9CzP4N0Y3CCdl-DdWRwgnZf',1784561325268,'ok',NULL,'eth/68 eth/69 snap/1',30303,X'4b2c811b',0,1337,X'd80e4e50570a22f4f0633a97aaa2a45752307870241e99cf4593511e3ef290e5',X'5d218dd73f4b9d76760a60f90ee682067bb3053b4592c530f3e4b252facfeb7a');
INSERT INTO nodes VALUES(3,1795972429993,'drained',4,10,'enr:-J24QL6vnNYIv5Le3PZexnuFXWgx5JQuphEAPycwMKzu_AzyYQGjrm8N2ImgDNXWe1hLN0-f0mOsVRTDxqHAh61CCh6GAZ66eMdHg2V0aMfGhAfJRi6AgmlkgnY0gmlwhH95TXKJc2VjcDI1NmsxoQOmpxj4IOZhZCagRIPEQjdAJrImhcYcHT8DGqfXJjjdfYN0Y3CCdl-DdWRwgnZf',1781244938055,'ok',NULL,'eth/68 eth/69 snap/1',30303,X'07c9462e',0,1,X'd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',X'b633050773a19b76adf71f58ba5681c092078791e1188d2a2a3d908567207d6c');
INSERT INTO nodes VALUES(4,1795972429993,'drained',4,10,'enr:-J24QGOH6TBGL0U9-fz-XC2L-feidfhukNEAMsD6m24DVXTxRAkNZaYRzUWU3_HJV4cLWcCa3OACfFhosX6kGkkAJrqGAaHKyCQKg2V0aMfGhAfJRi6AgmlkgnY0gmlwhH8UbR6Jc2VjcDI1NmsxoQIi2gV4FY-_Z0WDygWRrUkm2cbiUx3yEMne6exAYiZZI4N0Y3CCdl-DdWRwgnZf',1794403476490,'ok',NULL,'eth/66 eth/67 eth/68 eth/69',30303,X'07c9462e',0,1,X'd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',X'5d523bf1a071dc0cd1d72e46f7e930a70bfc28da0fd53b678e5f8a6988589cc1');
INSERT INTO nodes VALUES(5,1795972429993,'drained',4,7,'enr:-J24QAVybe1aZtf8GLY_IEBGgCjCTPoi80oPnEQVm6L9Cco3XUeDL6ohGUhwr5aaE6ooUii9O6ixXkuiqD2NAe6pHH-GAaA_vtjyg2V0aMfGhGNyyKeAgmlkgnY0gmlwhH8GzkCJc2VjcDI1NmsxoQOoTFa5FbcYdrRBr1VLTp_seM0SLeVcu1FsFMapTFuJXYN0Y3CCdl-DdWRwgnZf',1787775867122,'ok',NULL,'eth/69 eth/70 snap/1',30303,X'6372c8a7',0,137,X'0804c510a08c57b2fa17d0b62576c636d46e4eb2029c36749c0d35ab4dde7522',X'3c802c8a698f8ad4ba9c91a5ce8b3993db107f0cd5aa9d7e45b3607184ed014c');
INSERT INTO nodes VALUES(6,1795972429993,'drained',4,10,'enr:-J24QI8wvot-TglKkATQEm_DdufEbhGB-7p0965GLtUtv5jBagjhAI3GQJuR6b-B0_vCSuzZSg6am80XhtYwqmZ9B72GAZzpcucGg2V0aMfGhGNyyKeAgmlkgnY0gmlwhH87u62Jc2VjcDI1NmsxoQOaZ9SGQ4jBYrBJs2TonNumvNIwryVzNIin91ttow_gYYN0Y3CCdl-DdWRwgnZf',1773443147526,'full',NULL,NULL,NULL,X'6372c8a7',0,NULL,NULL,NULL);
INSERT INTO nodes VALUES(7,1795972429993,'drained',4,10,'enr:-J24QBwBwgxkaiuTfM3Bm7OQ_07BXGj-aoL6QeRFYnppMCjXPSriv753nhNocN6wRnUu4r2NC7aRXNYQ9WRIcrtnpkuGAZ0RNonvg2V0aMfGhAfJRi6AgmlkgnY0gmlwhH-ESBqJc2VjcDI1NmsxoQJUQvI_87WU_EBebow3TBweUxKZwRLVCRXTDdSoET1UxIN0Y3CCdl-DdWRwgnZf',1774110280175,'ok',NULL,'eth/66 eth/67 eth/68 nodedata/1 snap/1',30303,X'07c9462e',0,1,X'd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',X'b633050773a19b76adf71f58ba5681c092078791e1188d2a2a3d908567207d6c');
INSERT INTO nodes VALUES(8,1795972429993,'drained',4,7,'enr:-J24QBR3ZpMNNMVNtIJ4cZ-EN0S3jMFo-q5BEw3GaBCV5fKZUblncfmsLuGgIIEW7AYrTIVkXlNN7K4oA9MoGTh0cRCGAZ-gLD8Ng2V0aMfGhFvrc_uAgmlkgnY0gmlwhH996mCJc2VjcDI1NmsxoQO7oluQ-AFS2HYAb4xFDtTtDeBBu0Ua0_g7M7xcpgoYXYN0Y3CCdl-DdWRwgnZf',1785098682125,'full',NULL,NULL,NULL,X'5beb73fb',0,NULL,NULL,NULL);
CREATE TABLE node_visits( -- beside visits, a row for each visit of a node
  crawl_id INTEGER NOT NULL REFERENCES crawls,
  peer_id INTEGER NOT NULL REFERENCES peers,
  tcp_port INTEGER,
  faults TEXT, -- rules it broke without ending the visit, and how often
  completeness TEXT, -- of its table: drained, partial, timed_out; NULL: not asked
  findnodes INTEGER, -- questions that took
  entries INTEGER, -- different nodes in its table
  record TEXT, -- enr:...
  record_seq INTEGER,
  session TEXT, -- how the TCP session ended; NULL: none was tried
  session_rule TEXT, -- the rule it broke there
  capabilities ANY, -- eth/68 snap/1; NULL: no Hello
  listen_port INTEGER, -- as its Hello says
  fork_hash BLOB, -- EIP-2124
  fork_next INTEGER, -- 0: none known
  eth_network INTEGER, -- the network id of its Status
  genesis BLOB,
  head BLOB -- hash of its newest block
,  PRIMARY KEY(crawl_id, peer_id)
) STRICT, WITHOUT ROWID;
INSERT INTO node_visits VALUES(1,1,30303,NULL,'drained',4,7,'enr:-J24QFDd-NQB62GG2974K8IfDTD88oHxQya1xxB9IiaUvZ0LdtBv5pmX-_7iLtXMZnVad642Gs1G2V4Znvv2FU_S7g-GAaERbxlig2V0aMfGhAfJRi6AgmlkgnY0gmlwhH-NLtKJc2VjcDI1NmsxoQJh9OQ4rquhCMH9kcG9gWkhAJtFvfxDpRw_CnylGVYsBIN0Y3CCdl-DdWRwgnZf',1791293856098,'ok',NULL,'eth/68 bsc/1 snap/1',30303,X'07c9462e',0,1,X'd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',X'73bef867912cad92f9aa363c7864461bfddc51966c60e389a2de9bebdd575b97');
INSERT INTO node_visits VALUES(1,2,30303,NULL,'drained',4,7,'enr:-J24QOT58z2QQ9MJeaMBfqK4SijbiaaO3nXAFrCQkBQroq4vGiA739F0dZSIRx-qxREU3VewINiLaYCFzETR8povTxaGAZ-AJNTUg2V0aMfGhEssgRuAgmlkgnY0gmlwhH9us5eJc2VjcDI1NmsxoQJqn20coRlTExGJnGdhH0gWxWNG34kfoqqEoCZ9Z9CzP4N0Y3CCdl-DdWRwgnZf',1784561325268,'ok',NULL,'eth/68 eth/69 snap/1',30303,X'4b2c811b',0,1337,X'd80e4e50570a22f4f0633a97aaa2a45752307870241e99cf4593511e3ef290e5',X'5d218dd73f4b9d76760a60f90ee682067bb3053b4592c530f3e4b252facfeb7a');
INSERT INTO node_visits VALUES(1,3,30303,NULL,'drained',4,10,'enr:-J24QL6vnNYIv5Le3PZexnuFXWgx5JQuphEAPycwMKzu_AzyYQGjrm8N2ImgDNXWe1hLN0-f0mOsVRTDxqHAh61CCh6GAZ66eMdHg2V0aMfGhAfJRi6AgmlkgnY0gmlwhH95TXKJc2VjcDI1NmsxoQOmpxj4IOZhZCagRIPEQjdAJrImhcYcHT8DGqfXJjjdfYN0Y3CCdl-DdWRwgnZf',1781244938055,'ok',NULL,'eth/68 eth/69 snap/1',30303,X'07c9462e',0,1,X'd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',X'b633050773a19b76adf71f58ba5681c092078791e1188d2a2a3d908567207d6c');
INSERT INTO node_visits VALUES(1,4,30303,NULL,'drained',4,10,'enr:-J24QGOH6TBGL0U9-fz-XC2L-feidfhukNEAMsD6m24DVXTxRAkNZaYRzUWU3_HJV4cLWcCa3OACfFhosX6kGkkAJrqGAaHKyCQKg2V0aMfGhAfJRi6AgmlkgnY0gmlwhH8UbR6Jc2VjcDI1NmsxoQIi2gV4FY-_Z0WDygWRrUkm2cbiUx3yEMne6exAYiZZI4N0Y3CCdl-DdWRwgnZf',1794403476490,'ok',NULL,'eth/66 eth/67 eth/68 eth/69',30303,X'07c9462e',0,1,X'd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',X'5d523bf1a071dc0cd1d72e46f7e930a70bfc28da0fd53b678e5f8a6988589cc1');
INSERT INTO node_visits VALUES(1,5,30303,NULL,'drained',4,7,'enr:-J24QAVybe1aZtf8GLY_IEBGgCjCTPoi80oPnEQVm6L9Cco3XUeDL6ohGUhwr5aaE6ooUii9O6ixXkuiqD2NAe6pHH-GAaA_vtjyg2V0aMfGhGNyyKeAgmlkgnY0gmlwhH8GzkCJc2VjcDI1NmsxoQOoTFa5FbcYdrRBr1VLTp_seM0SLeVcu1FsFMapTFuJXYN0Y3CCdl-DdWRwgnZf',1787775867122,'ok',NULL,'eth/69 eth/70 snap/1',30303,X'6372c8a7',0,137,X'0804c510a08c57b2fa17d0b62576c636d46e4eb2029c36749c0d35ab4dde7522',X'3c802c8a698f8ad4ba9c91a5ce8b3993db107f0cd5aa9d7e45b3607184ed014c');
INSERT INTO node_visits VALUES(1,6,30303,NULL,'drained',4,10,'enr:-J24QI8wvot-TglKkATQEm_DdufEbhGB-7p0965GLtUtv5jBagjhAI3GQJuR6b-B0_vCSuzZSg6am80XhtYwqmZ9B72GAZzpcucGg2V0aMfGhGNyyKeAgmlkgnY0gmlwhH87u62Jc2VjcDI1NmsxoQOaZ9SGQ4jBYrBJs2TonNumvNIwryVzNIin91ttow_gYYN0Y3CCdl-DdWRwgnZf',1773443147526,'full',NULL,NULL,NULL,X'6372c8a7',0,NULL,NULL,NULL);
INSERT INTO node_visits VALUES(1,7,30303,NULL,'drained',4,10,'enr:-J24QBwBwgxkaiuTfM3Bm7OQ_07BXGj-aoL6QeRFYnppMCjXPSriv753nhNocN6wRnUu4r2NC7aRXNYQ9WRIcrtnpkuGAZ0RNonvg2V0aMfGhAfJRi6AgmlkgnY0gmlwhH-ESBqJc2VjcDI1NmsxoQJUQvI_87WU_EBebow3TBweUxKZwRLVCRXTDdSoET1UxIN0Y3CCdl-DdWRwgnZf',1774110280175,'ok',NULL,'eth/66 eth/67 eth/68 nodedata/1 snap/1',30303,X'07c9462e',0,1,X'd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',X'b633050773a19b76adf71f58ba5681c092078791e1188d2a2a3d908567207d6c');
INSERT INTO node_visits VALUES(1,8,30303,NULL,'drained',4,7,'enr:-J24QBR3ZpMNNMVNtIJ4cZ-EN0S3jMFo-q5BEw3GaBCV5fKZUblncfmsLuGgIIEW7AYrTIVkXlNN7K4oA9MoGTh0cRCGAZ-gLD8Ng2V0aMfGhFvrc_uAgmlkgnY0gmlwhH996mCJc2VjcDI1NmsxoQO7oluQ-AFS2HYAb4xFDtTtDeBBu0Ua0_g7M7xcpgoYXYN0Y3CCdl-DdWRwgnZf',1785098682125,'full',NULL,NULL,NULL,X'5beb73fb',0,NULL,NULL,NULL);
INSERT INTO node_visits VALUES(1,9,30303,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO node_visits VALUES(1,10,30303,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO node_visits VALUES(1,11,30303,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE books( -- of a node on each network, and of each group of gossip
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE -- bitcoin, gossip/GROUP, ethereum
) STRICT;
INSERT INTO books VALUES(1,'ethereum');
CREATE TABLE book( -- the addresses that a node knows; NULL: never
  book_id INTEGER NOT NULL REFERENCES books,
  key BLOB NOT NULL, -- as peers.key
  kind INTEGER NOT NULL REFERENCES kinds,
  address TEXT NOT NULL,
  port INTEGER NOT NULL,
  node_id TEXT NOT NULL DEFAULT '', -- hex
  tcp_port INTEGER, -- of a node of Ethereum; port is its UDP port
  source BLOB, -- who named it first, as a key; NULL: not kept
  tried INTEGER NOT NULL, -- reached by ourselves, else hearsay
  services INTEGER NOT NULL,
  named_s INTEGER, -- last named, as it was claimed
  asked_s INTEGER, -- our last attempt to reach it
  good_s INTEGER, -- when we reached it last
  failures INTEGER NOT NULL, -- since then
  PRIMARY KEY(book_id, key)
) STRICT, WITHOUT ROWID;
INSERT INTO book VALUES(1,X'017f8d2ed2765f61f4e438aeaba108c1fd91c1bd816921009b45bdfc43a51c3f0a7ca519562c04058175f77923ecac03d86cc9fbd7fb2e1d8f29d8bb9d88ecaf824c00eaca5502',1,'127.141.46.210',30303,'61f4e438aeaba108c1fd91c1bd816921009b45bdfc43a51c3f0a7ca519562c04058175f77923ecac03d86cc9fbd7fb2e1d8f29d8bb9d88ecaf824c00eaca5502',30303,NULL,1,0,1780000000,1780000000,1780000000,0);
CREATE TABLE book_values( -- what else a node keeps
  book_id INTEGER NOT NULL REFERENCES books,
  name TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY(book_id, name)
) STRICT, WITHOUT ROWID;
INSERT INTO book_values VALUES(1,'secret',X'00ff');
CREATE VIEW crawls_readable AS SELECT c.id, n.name AS network,
  strftime('%Y-%m-%dT%H:%M:%SZ', c.started_at_ms / 1000, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', c.ended_at_ms / 1000, 'unixepoch') AS ended_at,
  (c.ended_at_ms - c.started_at_ms) / 1000.0 AS seconds, c.complete, c.known,
  c.visited, c.reached, c.adverts, c.bytes_in, c.bytes_out, c.cpu_seconds,
  c.max_rss_bytes, c.settings
  FROM crawls c JOIN networks n ON n.id = c.network_id;
CREATE VIEW peers_readable AS SELECT p.id, n.name AS network, k.name AS kind,
  p.address, p.port, p.node_id, o.name AS outcome, p.agent, p.protocol,
  iif(p.services IS NULL, NULL, printf('0x%x', p.services)) AS services, p.height,
  strftime('%Y-%m-%dT%H:%M:%SZ', p.first_seen_ms / 1000, 'unixepoch') AS first_seen,
  strftime('%Y-%m-%dT%H:%M:%SZ', p.last_seen_ms / 1000, 'unixepoch') AS last_seen,
  strftime('%Y-%m-%dT%H:%M:%SZ', p.last_reached_ms / 1000, 'unixepoch') AS last_reached,
  p.connect_ms, p.handshake_ms, p.visits, p.reached_count, p.crawl_id
  FROM peers p JOIN networks n ON n.id = p.network_id JOIN kinds k ON k.id = p.kind
  LEFT JOIN outcomes o ON o.id = p.outcome;
CREATE VIEW visits_readable AS SELECT v.crawl_id, n.name AS network,
  k.name AS kind, p.address, p.port,
  strftime('%Y-%m-%dT%H:%M:%SZ', v.started_at_ms / 1000, 'unixepoch') AS started_at,
  o.name AS outcome, v.rule, v.reached, v.tries, v.stepwise, v.agent, v.protocol,
  iif(v.services IS NULL, NULL, printf('0x%x', v.services)) AS services, v.height,
  v.connect_ms, v.version_ms, v.handshake_ms, v.reply_ms, v.total_ms,
  v.negotiation, v.relay, v.clock_skew_s, v.feefilter, v.sees_us_as, v.adverts,
  v.adverts_new, v.adverts_cut, v.messages_in, v.unknown_in, v.bytes_in, v.bytes_out
  FROM visits v JOIN peers p ON p.id = v.peer_id
  JOIN networks n ON n.id = p.network_id JOIN kinds k ON k.id = p.kind
  JOIN outcomes o ON o.id = v.outcome;
CREATE VIEW adverts_readable AS SELECT a.crawl_id,
  f.address AS from_address, f.port AS from_port, p.address, p.port,
  strftime('%Y-%m-%dT%H:%M:%SZ', a.at_ms / 1000, 'unixepoch') AS at, printf('0x%x', a.services) AS services,
  strftime('%Y-%m-%dT%H:%M:%SZ', a.last_seen_s, 'unixepoch') AS last_seen
  FROM adverts a JOIN peers f ON f.id = a.from_id JOIN peers p ON p.id = a.peer_id;
CREATE VIEW nodes_readable AS SELECT p.id, n.name AS network, p.address,
  p.port AS udp_port, p.tcp_port, p.node_id, o.name AS outcome, p.agent,
  p.protocol AS eth_version, p.height,
  d.completeness, d.findnodes, d.entries, d.session, d.session_rule,
  d.capabilities, d.listen_port, d.eth_network AS network_id,
  iif(d.genesis IS NULL, NULL, '0x' || lower(hex(d.genesis))) AS genesis,
  iif(d.fork_hash IS NULL, NULL, '0x' || lower(hex(d.fork_hash))) AS fork_hash,
  d.fork_next, iif(d.head IS NULL, NULL, '0x' || lower(hex(d.head))) AS head,
  d.record_seq, d.record,
  strftime('%Y-%m-%dT%H:%M:%SZ', d.first_reached_ms / 1000, 'unixepoch') AS first_reached,
  strftime('%Y-%m-%dT%H:%M:%SZ', p.last_reached_ms / 1000, 'unixepoch') AS last_reached,
  p.visits, p.reached_count, p.crawl_id
  FROM nodes d JOIN peers p ON p.id = d.peer_id
  JOIN networks n ON n.id = p.network_id LEFT JOIN outcomes o ON o.id = p.outcome;
CREATE VIEW node_visits_readable AS SELECT v.crawl_id, n.name AS network,
  p.address, p.port AS udp_port, d.tcp_port, p.node_id,
  strftime('%Y-%m-%dT%H:%M:%SZ', v.started_at_ms / 1000, 'unixepoch') AS started_at,
  o.name AS outcome, v.rule, v.reached, v.agent, v.protocol AS eth_version,
  v.height, d.faults,
  d.completeness, d.findnodes, d.entries, d.session, d.session_rule,
  d.capabilities, d.listen_port, d.eth_network AS network_id,
  iif(d.genesis IS NULL, NULL, '0x' || lower(hex(d.genesis))) AS genesis,
  iif(d.fork_hash IS NULL, NULL, '0x' || lower(hex(d.fork_hash))) AS fork_hash,
  d.fork_next, iif(d.head IS NULL, NULL, '0x' || lower(hex(d.head))) AS head,
  d.record_seq, d.record,
  v.connect_ms, v.handshake_ms, v.reply_ms, v.total_ms, v.adverts
  FROM node_visits d JOIN visits v ON v.crawl_id = d.crawl_id
  AND v.peer_id = d.peer_id JOIN peers p ON p.id = d.peer_id
  JOIN networks n ON n.id = p.network_id JOIN outcomes o ON o.id = v.outcome;
CREATE VIEW book_readable AS SELECT b.name AS book, k.name AS kind, r.address,
  r.port, r.tcp_port, r.node_id, r.tried,
  printf('0x%x', r.services) AS services,
  strftime('%Y-%m-%dT%H:%M:%SZ', r.named_s, 'unixepoch') AS named,
  strftime('%Y-%m-%dT%H:%M:%SZ', r.asked_s, 'unixepoch') AS asked,
  strftime('%Y-%m-%dT%H:%M:%SZ', r.good_s, 'unixepoch') AS reached, r.failures
  FROM book r JOIN books b ON b.id = r.book_id JOIN kinds k ON k.id = r.kind;
COMMIT;
