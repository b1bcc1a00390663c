package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "time/tzdata"

	"github.com/alecthomas/kong"

	"tocsin/internal/config"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
)

// cli is a program with one command that has settings and one that has none.
type cli struct {
	Serve   serve   `cmd:"" help:"Serve."`
	Version version `cmd:"" help:"Version."`
}

type serve struct{ config.Server }

type version struct {
	Listen string `default:"nobody" help:"A flag of the same name that is no setting."`
}

type environment map[string]string

func (e environment) lookup(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

// parse runs the command line as the program does.
func parse(t *testing.T, env environment, args ...string) (*cli, error) {
	t.Helper()
	var c cli
	parser, err := kong.New(&c, config.Find(args, env.lookup).Options()...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(args)
	return &c, err
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sentences are the faults of an error, as the operator reads them in English.
func sentences(t *testing.T, err error) []string {
	t.Helper()
	loc := i18ntest.Localizer(t, i18n.English, config.Locales)
	var out []string
	for _, f := range config.Faults(err) {
		out = append(out, loc.Fault(f))
	}
	return out
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := parse(t, nil, "serve")
	if err != nil {
		t.Fatal(err)
	}
	s := c.Serve
	got := []string{s.Listen, s.Data, s.KeyFile, s.LogLevel, s.LogFormat, s.Language, s.Timezone, s.DatabaseURL, s.MetricsListen, s.SMTPListen, s.SMTPProto}
	want := []string{"127.0.0.1:8080", "./data", "tocsin.key", "info", "text", "fr", "Europe/Paris", "", "", "", "smtp"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if s.Zone().String() != "Europe/Paris" || s.Level() != slog.LevelInfo || s.Lang() != i18n.French || s.Origin() != nil || s.Proxies() != nil {
		t.Errorf("typed values: %v %v %v %v %v", s.Zone(), s.Level(), s.Lang(), s.Origin(), s.Proxies())
	}
}

func TestOrderOfTheSources(t *testing.T) {
	t.Parallel()
	path := write(t, "tocsin.yaml", "listen: 127.0.0.1:1\nlog-level: debug\nlanguage: en\ntimezone: Indian/Reunion\n")
	env := environment{"TOCSIN_LISTEN": "127.0.0.1:2", "TOCSIN_LOG_LEVEL": "warn", "TOCSIN_LANGUAGE": "", "TOCSIN_CONFIG": path}
	c, err := parse(t, env, "serve", "--listen", "127.0.0.1:3")
	if err != nil {
		t.Fatal(err)
	}
	s := c.Serve
	if s.Listen != "127.0.0.1:3" {
		t.Errorf("the flag does not win: %s", s.Listen)
	}
	if s.LogLevel != "warn" || s.Level() != slog.LevelWarn {
		t.Errorf("the environment does not win over the file: %s", s.LogLevel)
	}
	if s.Language != "en" || s.Timezone != "Indian/Reunion" {
		t.Errorf("the file does not win over the default, or an empty variable counts: %s %s", s.Language, s.Timezone)
	}
	if s.Config != path || s.KeyFile != filepath.Join(filepath.Dir(path), "tocsin.key") {
		t.Errorf("config %s, key file %s", s.Config, s.KeyFile)
	}
}

func TestConfigFlagWinsOverItsVariable(t *testing.T) {
	t.Parallel()
	mine, other := write(t, "mine.yaml", "language: en"), write(t, "other.yaml", "nonsense: 1")
	for _, args := range [][]string{{"serve", "--config", mine}, {"serve", "--config=" + mine}} {
		c, err := parse(t, environment{"TOCSIN_CONFIG": other}, args...)
		if err != nil || c.Serve.Language != "en" || c.Serve.Config != mine {
			t.Errorf("%v: %v, language %s", args, err, c.Serve.Language)
		}
	}
}

func TestTypedValues(t *testing.T) {
	t.Parallel()
	path := write(t, "c.yaml", `
public_url: https://tocsin.example/
trusted-proxies: [10.1.2.3, 192.168.7.9/16, "2001:db8::/32"]
smtp-listen: ":25"
reply-domain: reponse.tocsin.example
metrics-listen: "[::1]:9090"
log-format: json
`)
	c, err := parse(t, nil, "serve", "--config", path)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Serve.Origin().String(); got != "https://tocsin.example" {
		t.Errorf("origin %s", got)
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.1.2.3/32"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("2001:db8::/32")}
	if got := c.Serve.Proxies(); !slices.Equal(got, want) {
		t.Errorf("proxies %v", got)
	}
	c, err = parse(t, environment{"TOCSIN_TRUSTED_PROXIES": "10.1.2.3, 10.9.0.0/16"}, "serve")
	if err != nil || len(c.Serve.Proxies()) != 2 {
		t.Errorf("from the environment: %v, %v", c.Serve.Proxies(), err)
	}
}

func TestSecretsFromFiles(t *testing.T) {
	t.Parallel()
	const url = "postgres://tocsin:s3cret@db/tocsin"
	secret := write(t, "secret", url+"\n")
	cases := map[string]struct {
		env  environment
		file string
	}{
		"environment":                         {env: environment{"TOCSIN_DATABASE_URL": url}},
		"file named by the environment":       {env: environment{"TOCSIN_DATABASE_URL_FILE": secret}},
		"configuration":                       {file: "database-url: " + url},
		"file named by the configuration":     {file: "database_url_file: " + secret},
		"environment over file of the config": {env: environment{"TOCSIN_DATABASE_URL": url}, file: "database-url-file: /nowhere"},
		"file of environment over the config": {env: environment{"TOCSIN_DATABASE_URL_FILE": secret}, file: "database-url: postgres://x"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parse(t, c.env, "serve", "--config", write(t, "c.yaml", c.file))
			if err != nil || got.Serve.DatabaseURL != url {
				t.Errorf("got %q, %v", got.Serve.DatabaseURL, err)
			}
		})
	}
}

func TestBadSecretFiles(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"missing":   "/nowhere/secret",
		"folder":    t.TempDir(),
		"empty":     write(t, "s", "\n"),
		"two lines": write(t, "s", "postgres://a\npostgres://b"),
		"huge":      write(t, "s", strings.Repeat("x", 70_000)),
	} {
		_, err := parse(t, environment{"TOCSIN_DATABASE_URL_FILE": path}, "serve")
		got := sentences(t, err)
		if len(got) != 1 || !strings.HasPrefix(got[0], "Option “database-url”: the file "+path) {
			t.Errorf("%s: %q", name, got)
		}
	}
	_, err := parse(t, environment{"TOCSIN_DATABASE_URL": "postgres://a", "TOCSIN_DATABASE_URL_FILE": "/x"}, "serve")
	if got := sentences(t, err); len(got) != 1 || !strings.Contains(got[0], "not both") {
		t.Errorf("both: %q", got)
	}
}

func TestWrongValues(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, value, key string }{
		{"listen", "8080", "config.address"},
		{"listen", "127.0.0.1", "config.address"},
		{"listen", "127.0.0.1:http", "config.address"},
		{"listen", "127.0.0.1:70000", "config.address"},
		{"listen", "my host:80", "config.address"},
		{"listen", "-bad-:80", "config.address"},
		{"metrics-listen", "x", "config.address"},
		{"smtp-listen", "x", "config.address"},
		{"smtp-protocol", "esmtp", "config.choice"},
		{"public-url", "tocsin.example", "config.public_url"},
		{"public-url", "ftp://tocsin.example", "config.public_url"},
		{"public-url", "https://", "config.public_url"},
		{"public-url", "https://tocsin.example/alerte", "config.public_url"},
		{"public-url", "https://tocsin.example?x", "config.public_url"},
		{"public-url", "https://user@tocsin.example", "config.public_url"},
		{"public-url", "https://[::1", "config.public_url"},
		{"database-url", "mysql://u:hidden@db/x", "config.database_url"},
		{"database-url", "postgres://u:hidden@db:port/x", "config.database_url"},
		{"log-level", "loud", "config.choice"},
		{"log-format", "xml", "config.choice"},
		{"language", "de", "config.choice"},
		{"timezone", "Mars/Olympus", "config.timezone"},
		{"timezone", "Local", "config.timezone"},
		{"timezone", "../../etc/passwd", "config.timezone"},
		{"trusted-proxies", "10.0.0.0/33", "config.proxy"},
		{"trusted-proxies", "proxy.example", "config.proxy"},
		{"reply-domain", "réponse", "config.domain"},
		{"reply-domain", strings.Repeat("a", 64) + ".example", "config.domain"},
		{"reply-domain", strings.Repeat("a.", 130) + "example", "config.domain"},
		{"key-file", "data/tocsin.key", "config.key_inside_data"},
		{"key-file", "./data/../data/x/tocsin.key", "config.key_inside_data"},
	}
	for _, c := range cases {
		t.Run(c.name+"="+c.value, func(t *testing.T) {
			t.Parallel()
			variable := "TOCSIN_" + strings.ToUpper(strings.ReplaceAll(c.name, "-", "_"))
			env := environment{variable: c.value}
			if c.name == "smtp-listen" {
				env["TOCSIN_REPLY_DOMAIN"] = "reponse.example"
			}
			_, err := parse(t, env, "serve")
			faults := config.Faults(err)
			if len(faults) != 1 || faults[0].Key != c.key || faults[0].Field != c.name {
				t.Fatalf("got %v, want one fault %s at %s", err, c.key, c.name)
			}
			said := fmt.Sprint(sentences(t, err), err)
			if !strings.Contains(said, c.name) || strings.Contains(said, "hidden") {
				t.Errorf("the sentence does not name the option, or shows a secret: %s", said)
			}
		})
	}
}

func TestOptionsThatGoTogether(t *testing.T) {
	t.Parallel()
	for want, env := range map[string]environment{
		"config.tls_pair":             {"TOCSIN_TLS_CERT": "cert.pem"},
		"config.reply_domain_missing": {"TOCSIN_SMTP_LISTEN": ":25"},
	} {
		_, err := parse(t, env, "serve")
		if faults := config.Faults(err); len(faults) != 1 || faults[0].Key != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := parse(t, environment{"TOCSIN_TLS_CERT": "c.pem", "TOCSIN_TLS_KEY": "k.pem"}, "serve"); err != nil {
		t.Error(err)
	}
	// Beside the data folder, even with a name that begins alike, is outside.
	if _, err := parse(t, environment{"TOCSIN_KEY_FILE": "./data-key/tocsin.key"}, "serve"); err != nil {
		t.Error(err)
	}
}

func TestEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	_, err := parse(t, nil, "serve", "--listen", "x", "--language", "de", "--data", "", "--key-file", "")
	var fields []string
	for _, f := range config.Faults(err) {
		fields = append(fields, f.Field)
	}
	if want := []string{"listen", "data", "key-file", "language"}; !slices.Equal(fields, want) {
		t.Errorf("got faults at %v, want %v", fields, want)
	}
}

func TestWrongFiles(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, text, want string }{
		{"unknown key", "language: fr\n# a comment\nlistne: x", "line 3: there is no option “listne”"},
		{"config in the file", "config: other.yaml", "line 1: there is no option “config”"},
		{"file of what is no secret", "listen-file: x", "line 1: there is no option “listen-file”"},
		{"twice", "public-url: https://a\npublic_url: https://b", "line 2: the option “public_url” is given twice"},
		{"a map", "listen: {host: x}", "line 1: the option “listen” takes a plain value"},
		{"a list of lists", "trusted-proxies: [[10.0.0.1]]", "line 1: the option “trusted-proxies” takes a plain value"},
		{"a list", "- listen", "cannot be read (line 1: not a list of options"},
		{"broken", "listen: [", "cannot be read (line"},
		{"two documents", "language: fr\n---\nlanguage: en", "more than one document"},
		{"huge", strings.Repeat("# padding\n", 120_000), "larger than 1 MB"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(t, nil, "serve", "--config", write(t, "c.yaml", c.text))
			if got := sentences(t, err); len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	_, err := parse(t, nil, "serve", "--config", "/nowhere/tocsin.yaml")
	if got := sentences(t, err); len(got) != 1 || got[0] != "The configuration file /nowhere/tocsin.yaml does not exist." {
		t.Errorf("missing: %q", got)
	}
}

func TestFilesThatSayNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing yet\n", "---\n", "listen:\nlanguage: ~\n"} {
		c, err := parse(t, nil, "serve", "--config", write(t, "c.yaml", text))
		if err != nil || c.Serve.Listen != "127.0.0.1:8080" {
			t.Errorf("%q: %v, listen %q", text, err, c.Serve.Listen)
		}
	}
}

func TestOtherCommandsDoNotSeeTheSettings(t *testing.T) {
	t.Parallel()
	path := write(t, "c.yaml", "listen: 127.0.0.1:1\nlistne: 127.0.0.1:1\n")
	c, err := parse(t, environment{"TOCSIN_CONFIG": path, "TOCSIN_LISTEN": "127.0.0.1:2"}, "version")
	if err != nil || c.Version.Listen != "nobody" {
		t.Errorf("listen %s, %v", c.Version.Listen, err)
	}
}

func TestHelpDocumentsEveryOption(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	var c cli
	exited := errors.New("exit")
	options := append(config.Find(nil, environment{}.lookup).Options(),
		kong.Writers(&out, &out), kong.Exit(func(int) { panic(exited) }))
	parser, err := kong.New(&c, options...)
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if p := recover(); p != exited {
				t.Errorf("help did not exit: %v", p)
			}
		}()
		if _, err := parser.Parse([]string{"serve", "--help"}); err != nil {
			t.Error(err)
		}
	}()
	help := strings.Join(strings.Fields(out.String()), " ")
	count := 0
	for _, flag := range parser.Model.Children[0].Flags {
		if flag.Name == "help" {
			continue
		}
		count++
		variable := "$TOCSIN_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		if flag.Help == "" || !strings.Contains(help, "--"+flag.Name) || !strings.Contains(help, variable) {
			t.Errorf("--%s, %s or its words are not in the help", flag.Name, variable)
		}
	}
	if count != 36 {
		t.Errorf("%d options in the help, want 36", count)
	}
	if !strings.Contains(help, "$TOCSIN_DATABASE_URL_FILE") {
		t.Error("the file of the secret is not in the help")
	}
}

func TestFaultsOfOtherErrors(t *testing.T) {
	t.Parallel()
	if got := config.Faults(errors.New("unexpected argument")); got != nil {
		t.Errorf("got %v", got)
	}
	f := fault.New(fault.Invalid, "config.tls_pair")
	if got := config.Faults(fmt.Errorf("serve: %w", errors.Join(errors.New("x"), f))); len(got) != 1 || got[0] != f {
		t.Errorf("got %v", got)
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", config.Locales)
}
