package lab_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/internal/lab"
)

// seenByNode is what the npm library "smpp" understood of the lab.
type seenByNode struct {
	Bind, Wrong int
	Statuses    []int
	IDs         []string
	Receipts    []struct {
		ID    string
		State int
		Text  string
	}
	Replies  []struct{ From, To, Text string }
	Enquired bool
}

// A client that we did not write binds, sends, and reads receipts and answers.
func TestAClientWeDidNotWrite(t *testing.T) {
	t.Parallel()
	people := hasty()
	r := start(t, func(o *lab.Options) {
		o.People, o.Gateway.SystemID, o.Gateway.Password = people, "hopital", "secret"
	})
	_, port, err := net.SplitHostPort(r.SMPP)
	if err != nil {
		t.Fatal(err)
	}
	coming, dead := holder(t, people, open(lab.Coming)), holder(t, people, func(w lab.Person) bool { return w.Line == lab.LineDead })
	seen := runNode(t, map[string]any{
		"port": port, "system_id": "hopital", "password": "secret", "receipts": 3, "replies": 1,
		"messages": []map[string]any{
			{"to": coming, "text": "CHSA : PLAN BLANC. Répondez 1=oui 2=non", "validity": "000000010000000R"},
			{"to": dead, "text": "CHSA : fin d’alerte ✔"},
			{"to": coming, "text": strings.Repeat("CHSA : le plan blanc continue. ", 20), "payload": true},
		},
	})
	if seen.Bind != 0 || !seen.Enquired || seen.Wrong != 3 {
		t.Errorf("bind %d, enquire_link %v, query_sm %d (ESME_RINVCMDID is 3)", seen.Bind, seen.Enquired, seen.Wrong)
	}
	if len(seen.Statuses) != 3 || seen.Statuses[0]+seen.Statuses[1]+seen.Statuses[2] != 0 {
		t.Fatalf("statuses %v", seen.Statuses)
	}
	states := map[string]int{}
	for _, receipt := range seen.Receipts {
		states[receipt.ID] = receipt.State
		if !strings.HasPrefix(receipt.Text, "id:"+receipt.ID+" sub:001 dlvrd:00") {
			t.Errorf("the text of a receipt reads %q", receipt.Text)
		}
	}
	if states[seen.IDs[0]] != 2 || states[seen.IDs[1]] != 5 || states[seen.IDs[2]] != 2 {
		t.Errorf("ids %v, states %v: want delivered, undeliverable, delivered", seen.IDs, states)
	}
	if len(seen.Replies) != 1 || seen.Replies[0].From != coming || seen.Replies[0].To != "TOCSIN" || seen.Replies[0].Text == "" {
		t.Errorf("answers: %+v", seen.Replies)
	}
}

// runNode runs the script until it prints what it saw.
func runNode(t *testing.T, order map[string]any) seenByNode {
	t.Helper()
	modules, err := filepath.Abs("../../test/peers/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(modules, "smpp")); err != nil {
		t.Fatal("the npm package smpp is missing: run make test-deps")
	}
	argument, err := json.Marshal(order)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, "node", "testdata/client.js", string(argument))
	command.Env = append(os.Environ(), "NODE_PATH="+modules)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("node: %v, after %s", err, strconv.Quote(string(out)))
	}
	var seen seenByNode
	if err := json.Unmarshal(out, &seen); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return seen
}
