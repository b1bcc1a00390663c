package firefox

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tocsin/test/peers"
)

// patience is how long the browser may take for one thing, on a busy machine.
const patience = 2 * time.Minute

// Browser is a Firefox that obeys by Marionette, the protocol of its own tests.
type Browser struct {
	t    testing.TB
	wire net.Conn
	said *bufio.Reader
	last int
}

// preferences make the browser speak to service alone, ask nobody for a
// permission, and leave the outside alone.
func preferences(service *Service) map[string]any {
	return map[string]any{
		"dom.push.serverURL": "ws://" + service.Host + "/", "dom.push.testing.allowInsecureServerURL": true, "dom.push.connection.enabled": true, "dom.push.enabled": true,
		"permissions.default.desktop-notification": 1, "dom.webnotifications.requireuserinteraction": false,
		"dom.serviceWorkers.enabled": true, "alerts.useSystemBackend": false,
		"marionette.port": 0, "network.manage-offline-status": false, "network.connectivity-service.enabled": false, "network.captive-portal-service.enabled": false,
		"browser.shell.checkDefaultBrowser": false, "datareporting.policy.dataSubmissionEnabled": false, "toolkit.telemetry.enabled": false,
		"app.normandy.enabled": false, "browser.safebrowsing.malware.enabled": false, "browser.safebrowsing.phishing.enabled": false,
		"services.settings.server": "http://127.0.0.1:1/", "extensions.systemAddon.update.enabled": false, "browser.aboutwelcome.enabled": false,
		"media.gmp-manager.updateEnabled": false,
	}
}

// Start opens a browser whose notifications come from service.
func Start(t testing.TB, service *Service) *Browser {
	t.Helper()
	peers.Need(t, "firefox-esr")
	profile := t.TempDir()
	var text strings.Builder
	for name, value := range preferences(service) {
		written, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "user_pref(%q, %s);\n", name, written)
	}
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("firefox-esr", "--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", profile, "about:blank")
	// Its own group: the pages are processes of their own.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A container gives the processes of the pages no namespaces of their own.
	command.Env = append(os.Environ(), "HOME="+profile, "MOZ_CRASHREPORTER_DISABLE=1", "MOZ_DISABLE_CONTENT_SANDBOX=1", "LANG=fr_FR.UTF-8")
	var complaints peers.Said
	command.Stderr = &complaints
	if err := command.Start(); err != nil {
		t.Fatalf("start firefox-esr: %v", err)
	}
	b := &Browser{t: t}
	t.Cleanup(func() { b.end(command) })
	b.connect(filepath.Join(profile, "MarionetteActivePort"), &complaints)
	b.order("WebDriver:NewSession", map[string]any{}, nil)
	b.order("WebDriver:SetTimeouts", map[string]any{"script": patience.Milliseconds(), "pageLoad": patience.Milliseconds()}, nil)
	return b
}

// connect waits until the browser says where it listens.
func (b *Browser) connect(file string, complaints *peers.Said) {
	b.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		text, err := os.ReadFile(file)
		port, bad := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil || bad != nil {
			continue
		}
		if b.wire, err = net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), patience); err != nil {
			continue
		}
		b.said = bufio.NewReader(b.wire)
		b.read() // who it is
		return
	}
	b.t.Fatalf("firefox-esr does not listen after %s\n%s", patience, complaints.String())
}

// read is one message: its length, a colon, JSON.
func (b *Browser) read() []byte {
	b.t.Helper()
	if err := b.wire.SetReadDeadline(time.Now().Add(2 * patience)); err != nil {
		b.t.Fatal(err)
	}
	length, err := b.said.ReadString(':')
	if err != nil {
		b.t.Fatalf("the browser is silent: %v", err)
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil {
		b.t.Fatalf("the browser says %q", length)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(b.said, text); err != nil {
		b.t.Fatalf("the browser is silent: %v", err)
	}
	return text
}

func (b *Browser) order(name string, parameters map[string]any, result any) {
	b.t.Helper()
	if err := b.try(name, parameters, result); err != nil {
		b.t.Fatal(err)
	}
}

// try is an order that the browser may refuse.
func (b *Browser) try(name string, parameters map[string]any, result any) error {
	b.t.Helper()
	b.last++
	text, err := json.Marshal([]any{0, b.last, name, parameters})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(b.wire, "%d:%s", len(text), text); err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	var answer [4]json.RawMessage
	if err := json.Unmarshal(b.read(), &answer); err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	if string(answer[2]) != "null" {
		return fmt.Errorf("the browser refuses %s: %.600s", name, answer[2])
	}
	if result == nil {
		return nil
	}
	value := struct {
		Value any `json:"value"`
	}{result}
	return json.Unmarshal(answer[3], &value)
}

// Go opens an address.
func (b *Browser) Go(address string) {
	b.t.Helper()
	b.order("WebDriver:Navigate", map[string]any{"url": address}, nil)
}

// Click presses what a selector matches, as a finger does.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	var found map[string]string
	b.order("WebDriver:FindElement", map[string]any{"using": "css selector", "value": selector}, &found)
	for _, id := range found {
		b.order("WebDriver:ElementClick", map[string]any{"id": id}, nil)
	}
}

// Until runs a script in the page, the body of an asynchronous function, again and
// again until it gives true; a page that is left meanwhile is no fault.
func (b *Browser) Until(what, script string) {
	b.t.Helper()
	var yes bool
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end) && !yes; <-time.After(50 * time.Millisecond) {
		err = b.try("WebDriver:ExecuteScript", written("return Boolean(await (async () => { "+script+" })())"), &yes)
	}
	if !yes {
		var page string
		b.Run(`return location.pathname + " " + document.body.innerText`, &page)
		b.t.Fatalf("not in time: %s (%v); the page shows %.1000s", what, err, page)
	}
}

// Run runs the body of an asynchronous function in the page.
func (b *Browser) Run(script string, result any) {
	b.t.Helper()
	b.order("WebDriver:ExecuteScript", written(script), result)
}

func written(script string) map[string]any {
	return map[string]any{"script": "return (async () => { " + script + " })()", "args": []any{}}
}

// Press presses the notification that says a text: it lies outside any page.
func (b *Browser) Press(text string) {
	b.t.Helper()
	b.order("Marionette:SetContext", map[string]any{"value": "chrome"}, nil)
	b.Until("a notification that says "+text, fmt.Sprintf(`for (const w of Services.wm.getEnumerator("alert:alert")) {
		if (!w.document.getElementById("alertTextLabel").textContent.includes(%q)) continue;
		w.document.getElementById("alertBox").click();
		return true;
	}`, text))
	b.order("Marionette:SetContext", map[string]any{"value": "content"}, nil)
}

// end ends the browser and the processes of its pages.
func (b *Browser) end(command *exec.Cmd) {
	if b.wire != nil {
		if err := b.wire.Close(); err != nil {
			b.t.Error(err)
		}
	}
	if err := syscall.Kill(-command.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		b.t.Errorf("end firefox-esr: %v", err)
	}
	if err := command.Wait(); err != nil {
		b.t.Logf("firefox-esr ended: %v", err)
	}
}
