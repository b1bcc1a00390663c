package pages

import (
	"net/url"
	"strings"

	"tocsin/internal/i18n"
	"tocsin/internal/traces"
)

// recipe is a configuration to copy into what is to speak.
type recipe struct{ title, code string }

// The ports that the protocols of logs use by themselves.
const (
	syslogPort = "514"
	tlsPort    = "6514"
	gelfPort   = "12201"
	mllpPort   = "2575"
)

// recipes are the configurations for the format of a source, with the addresses
// of this program. What comes over HTTP carries the token; what comes over
// syslog or GELF is known by the address it comes from.
func (p pages) recipes(loc *i18n.Localizer, s traces.Source, token string) []recipe {
	fill := strings.NewReplacer("{origin}", p.origin, "{host}", p.host(), "{intake}", p.intake, "{token}", token)
	var out []recipe
	add := func(key, code string) { out = append(out, recipe{loc.T("traces.recipe." + key), fill.Replace(code)}) }
	switch s.Format {
	case "syslog", "cef":
		add("rsyslog_tls", "module(load=\"omfwd\")\n*.* action(type=\"omfwd\" target=\"{host}\" port=\""+tlsPort+"\" protocol=\"tcp\"\n"+
			"  TCP_Framing=\"octet-counted\" template=\"RSYSLOG_SyslogProtocol23Format\"\n  StreamDriver=\"ossl\" StreamDriverMode=\"1\" StreamDriverAuthMode=\"x509/name\"\n"+
			"  queue.type=\"LinkedList\" queue.filename=\"tocsin\" queue.saveOnShutdown=\"on\" action.resumeRetryCount=\"-1\")")
		add("rsyslog", "*.* action(type=\"omfwd\" target=\"{host}\" port=\""+syslogPort+"\" protocol=\"tcp\"\n"+
			"  TCP_Framing=\"octet-counted\" template=\"RSYSLOG_SyslogProtocol23Format\"\n  queue.type=\"LinkedList\" queue.filename=\"tocsin\" queue.saveOnShutdown=\"on\" action.resumeRetryCount=\"-1\")")
		add("logger", "logger --server {host} --port "+syslogPort+" --tcp --octet-count --rfc5424 \"essai\"")
	case "atna":
		add("curl_atna", "curl -H 'Authorization: Bearer {token}' -H 'Content-Type: application/xml' \\\n  --data-binary @audit.xml {intake}/document")
		add("syslog_atna", "{host}:"+tlsPort+" (TLS)\n{host}:"+syslogPort+" (TCP, UDP)")
	case "fhir":
		add("curl_fhir", "curl -H 'Authorization: Bearer {token}' -H 'Content-Type: application/fhir+json' \\\n  --data-binary @auditevent.json {intake}/fhir/AuditEvent")
	case "bulk":
		add("filebeat", "output.elasticsearch:\n  hosts: [\"{intake}\"]\n  headers:\n    Authorization: \"Bearer {token}\"\nsetup.ilm.enabled: false\nsetup.template.enabled: false")
		add("fluentbit", "[OUTPUT]\n    Name es\n    Match *\n    Host {host}\n    Port 443\n    tls On\n    Path "+p.intakePath()+"\n    Suppress_Type_Name On\n    Header Authorization Bearer {token}")
	case "otlp":
		add("otlp", "exporters:\n  otlphttp:\n    logs_endpoint: {intake}/v1/logs\n    headers:\n      Authorization: \"Bearer {token}\"")
	case "gelf":
		add("gelf", "{host}:"+gelfPort+" (UDP, TCP)")
	case "hl7":
		add("mllp", "{host}:"+mllpPort+" (MLLP)\nADT A01 A02 A03 A04 A05 A06 A07 A08 A11 A12 A13 A28 A31 A38 A40 A47 A54 A55 Z80…Z89 Z99\nSIU S12 S13 S14 S15 S17 S24 S26\nORM O01, OMG O19, OML O21, OMP O09")
	case "files":
		add("curl_files", "curl -H 'Authorization: Bearer {token}' \\\n  -T export.csv {intake}/files/")
	case "sql": // this program goes and fetches
	default:
		add("curl", "curl -H 'Authorization: Bearer {token}' \\\n  --data-binary @traces.txt {intake}/events")
	}
	return out
}

// host is the name this program is reached by.
func (p pages) host() string {
	u, err := url.Parse(p.origin)
	if err != nil || u.Hostname() == "" {
		return "localhost"
	}
	return u.Hostname()
}

func (p pages) intakePath() string { return strings.TrimPrefix(p.intake, p.origin) }
