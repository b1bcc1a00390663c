package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// errNoForeign tells that the SMSC we did not write cannot be started here.
var errNoForeign = errors.New("node, or the peers of the tests, are not installed")

// foreignPorts are where the SMSC of the npm library listens, and is asked what it counted.
type foreignPorts struct {
	SMPP    int `json:"smpp"`
	Control int `json:"control"`
}

// startForeign starts, at the address where our own peer was, an SMSC we did
// not write: that of the npm library "smpp". Errors: errNoForeign outside the
// sources, or without node and its modules.
func (b *bench) startForeign(ctx context.Context, address string) (*peer, error) {
	script, err := foreignScript()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	var ports foreignPorts
	if ports.SMPP, err = strconv.Atoi(port); err != nil {
		return nil, err
	}
	settings, err := json.Marshal(ports)
	if err != nil {
		return nil, err
	}
	p := &peer{smpp: address, client: &http.Client{Timeout: time.Minute}}
	if p.process, err = b.startProgram("node", script, string(settings)); err != nil {
		return nil, err
	}
	if err := p.wait(ctx, "ready", &ports); err != nil {
		return nil, errors.Join(fmt.Errorf("npm SMSC: %w", err), p.kill())
	}
	p.control = net.JoinHostPort("127.0.0.1", strconv.Itoa(ports.Control))
	return p, nil
}

// foreignScript finds the script in the sources around the working directory.
func foreignScript() (string, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return "", errNoForeign
	}
	root, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		peers := filepath.Join(root, "test", "peers")
		if _, err := os.Stat(filepath.Join(peers, "node_modules", "smpp")); err == nil {
			return filepath.Join(peers, "smpp", "count.js"), nil
		}
		up := filepath.Dir(root)
		if up == root {
			return "", errNoForeign
		}
		root = up
	}
}
