package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"time"

	"tocsin/internal/i18n"
)

// Server is every option of the installation. A command embeds it; after
// kong has parsed and validated it, its methods give the values as types.
//
// The tag setting marks what the file and the environment may set; "secret"
// means from a file of its own too, "environment" not from the file.
type Server struct {
	Config string `name:"config" setting:"environment" placeholder:"FILE" help:"Configuration file (YAML). Without it, ./tocsin.yaml and then /etc/tocsin/tocsin.yaml are tried. Its keys are the long options without the dashes."`

	Listen    string `name:"listen" setting:"" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address on which the pages are served. The default is reachable from this machine only."`
	PublicURL string `name:"public-url" setting:"" placeholder:"URL" help:"Address of the pages as people type it, such as https://tocsin.hospital.example. Links in messages begin with it."`
	TLSCert   string `name:"tls-cert" setting:"" placeholder:"FILE" help:"Certificate chain (PEM) with which the pages are served. Needs tls-key. Read again when it changes."`
	TLSKey    string `name:"tls-key" setting:"" placeholder:"FILE" help:"Private key (PEM) of tls-cert."`

	TrustedProxies []string `name:"trusted-proxies" setting:"" sep:"," placeholder:"NETWORK,…" help:"Networks or addresses of the reverse proxies whose X-Forwarded-For is believed, such as 10.1.2.3 or 10.0.0.0/8. None by default."`

	Data        string `name:"data" setting:"" default:"./data" placeholder:"FOLDER" help:"Folder of the data. Created if it does not exist. With PostgreSQL it holds temporary files only."`
	DatabaseURL string `name:"database-url" setting:"secret" placeholder:"URL" help:"PostgreSQL database, such as postgres://user:password@host/database. Without it, an SQLite file in the data folder. Others may see a command line: prefer a file for the password."`
	KeyFile     string `name:"key-file" setting:"" placeholder:"FILE" help:"Keyring that protects the secrets in the database. Created at first start; keep a copy apart from the backups of the data, and give the same to every node. By default tocsin.key beside the configuration file."`

	BackupPassphrase string `name:"backup-passphrase" setting:"secret" placeholder:"PHRASE" help:"Passphrase of the backups, 12 characters or more. Others may see a command line: prefer a file. Without it no backup can be read again: keep it where the keyring is not."`

	SMTPListen  string `name:"smtp-listen" setting:"" placeholder:"HOST:PORT" help:"Address on which replies and bounces of our e-mails are received. Empty: they are not received. Needs reply-domain."`
	SMTPProto   string `name:"smtp-protocol" setting:"" default:"smtp" placeholder:"PROTOCOL" help:"What smtp-listen speaks: smtp, or lmtp when the mail server delivers by LMTP. Never both."`
	ReplyDomain string `name:"reply-domain" setting:"" placeholder:"DOMAIN" help:"Mail domain that leads to smtp-listen, such as reponse.tocsin.hospital.example."`

	SyslogListen    string `name:"syslog-listen" setting:"" placeholder:"HOST:PORT" help:"Address on which traces are received by syslog, UDP and TCP. A source is known by its own address. Empty: none is received."`
	SyslogTLSListen string `name:"syslog-tls-listen" setting:"" placeholder:"HOST:PORT" help:"Address on which traces are received by syslog over TLS (RFC 5425). Needs tls-cert."`
	SyslogTLSCA     string `name:"syslog-tls-ca" setting:"" placeholder:"FILE" help:"Authorities (PEM) that sign the certificates of those who speak on syslog-tls-listen. Without it any certificate, or none, is accepted, and the address alone decides."`
	TracesRules     string `name:"traces-rules" setting:"" placeholder:"FOLDER" help:"Folder of the Sigma rules asked of the traces as they come in, read again when it changes. By default traces/rules in the data folder."`
	TracesNodes     string `name:"traces-nodes-listen" setting:"" placeholder:"HOST:PORT" help:"With PostgreSQL: this node holds the base of traces, and hears the other nodes on this address. One node only. It is spoken to by those that have the same keyring, and by nobody else."`
	TracesOwner     string `name:"traces-owner" setting:"" placeholder:"HOST:PORT" help:"With PostgreSQL: the traces-nodes-listen of the node that holds the base of traces. This one brings it what it takes in, and asks it."`
	TracesURL       string `name:"traces-url" setting:"secret" placeholder:"URL" help:"Base of traces on ClickHouse instead of this machine, such as http://user:password@host:8123/database, the same for every node; with ?cluster=name the tables are made on that cluster. Others may see a command line: prefer a file for the password."`
	GELFListen      string `name:"gelf-listen" setting:"" placeholder:"HOST:PORT" help:"Address on which traces are received in GELF, UDP and TCP. Empty: none is received."`
	MLLPListen      string `name:"mllp-listen" setting:"" placeholder:"HOST:PORT" help:"Address on which the messages of care (HL7 v2 ADT, SIU, ORM) are received by MLLP. A source is known by its own address. Empty: none is received."`
	MLLPTLSListen   string `name:"mllp-tls-listen" setting:"" placeholder:"HOST:PORT" help:"Address on which the messages of care are received by MLLP over TLS. Needs tls-cert."`
	MLLPTLSCA       string `name:"mllp-tls-ca" setting:"" placeholder:"FILE" help:"Authorities (PEM) that sign the certificates of those who speak on mllp-tls-listen. Without it any certificate, or none, is accepted, and the address alone decides."`

	SealCopies     string   `name:"seal-copies" setting:"" placeholder:"FOLDER" help:"Folder, on another machine, in which each checkpoint of the seal of traces is written too. Empty: it is kept in the database alone."`
	TimestampURL   string   `name:"timestamp-url" setting:"" placeholder:"URL" help:"Time-stamping authority (RFC 3161) that is asked to date each checkpoint of the seal of traces. Empty: none is asked."`
	TimestampCA    string   `name:"timestamp-ca" setting:"" placeholder:"FILE" help:"Authorities (PEM) that vouch for the certificate of timestamp-url. Without it any certificate is taken."`
	TracesFolders  []string `name:"traces-folders" setting:"" sep:"," placeholder:"FOLDER,…" help:"Folders under which the pages may have exports of applications watched. FOLDER is for every establishment, ID=FOLDER for one. None by default: no page reads a file of this machine."`
	OTLPGRPCListen string   `name:"otlp-grpc-listen" setting:"" placeholder:"HOST:PORT" help:"Address on which logs of OpenTelemetry are received over gRPC, with the certificate of the pages when there is one. A source is known by its token. Empty: none is received; by HTTP they are, with the pages."`

	MetricsListen string `name:"metrics-listen" setting:"" placeholder:"HOST:PORT" help:"Address of /metrics, /healthz and /readyz for the supervision. Empty: served with the pages, /metrics to this machine only."`
	LogLevel      string `name:"log-level" setting:"" default:"info" placeholder:"LEVEL" help:"Least important lines of the log: debug, info, warn or error."`
	LogFormat     string `name:"log-format" setting:"" default:"text" placeholder:"FORMAT" help:"Form of the log lines: text to be read, json for a log collector."`

	HeartbeatURL string `name:"heartbeat-url" setting:"" placeholder:"URL" help:"Address called every minute while Tocsin lives, of a watcher that tells somebody when the calls stop. Empty: nobody is called."`
	ReachProxy   string `name:"reach-proxy" setting:"" placeholder:"URL" help:"HTTP proxy outside through which Tocsin opens one of its own links every minute; three failures set the isolated mode, three successes end it. Empty: no look."`

	Language string `name:"language" setting:"" default:"fr" placeholder:"LANGUAGE" help:"Language for those who have not chosen one: fr or en."`
	Timezone string `name:"timezone" setting:"" default:"Europe/Paris" placeholder:"ZONE" help:"Time zone of establishments that have none of their own, such as Europe/Paris or Indian/Reunion."`

	values values
}

// values are what Validate understood.
type values struct {
	origin  *url.URL
	proxies []netip.Prefix
	level   slog.Level
	zone    *time.Location
}

// Origin is public-url, without a slash at its end; nil when it is not set.
func (s *Server) Origin() *url.URL { return s.values.origin }

// Proxies are the networks of trusted-proxies.
func (s *Server) Proxies() []netip.Prefix { return s.values.proxies }

// Level is log-level.
func (s *Server) Level() slog.Level { return s.values.level }

// Zone is timezone; nil before Validate.
func (s *Server) Zone() *time.Location { return s.values.zone }

// Lang is language.
func (s *Server) Lang() i18n.Language { return i18n.Language(s.Language) }
