package clickhouse

import (
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	for text, want := range map[string]Address{
		"clickhouse://tocsin:secret@ch.example/traces":             {URL: "http://ch.example:8123", User: "tocsin", Password: "secret", Database: "traces"},
		"https://ch.example/traces?cluster=chu":                    {URL: "https://ch.example:8443", Database: "traces", Cluster: "chu"},
		"http://[2001:db8::1]:9000/traces":                         {URL: "http://[2001:db8::1]:9000", Database: "traces"},
		"ftp://ch.example/traces":                                  {},
		"http://ch.example/":                                       {},
		"http://ch.example/a;DROP":                                 {},
		"http://ch.example/traces?cluster=a'b":                     {},
		"http://tocsin:secret@ch.example/traces?readonly=0":        {},
		"http://tocsin:secret@ch.example/traces/../x?cluster=chu#": {},
		"": {},
	} {
		got, err := ParseAddress(text)
		if (err == nil) != (want != Address{}) || err == nil && got != want {
			t.Errorf("%s is read %+v, %v", text, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the refusal tells the password: %v", err)
		}
	}
}

// What a cluster is told; TestClusterConformance tells it one.
func TestTablesOfACluster(t *testing.T) {
	a := Address{Database: "traces", Cluster: "chu"}
	var all []string
	for _, f := range forms(true) {
		all = append(all, f.statements(a)...)
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{
		"CREATE TABLE IF NOT EXISTS traces_events_local ON CLUSTER chu (organisation String,",
		"ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/traces/traces_events', '{replica}') PARTITION BY (organisation, class, month)",
		"ENGINE = Distributed(chu, traces, traces_events_local, cityHash64(organisation, class, month))",
		"ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/traces/traces_identities', '{replica}', told)",
		"CREATE TABLE IF NOT EXISTS traces_blocks ON CLUSTER chu (organisation String,",
		"ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/every/traces/traces_blocks', '{shard}-{replica}', version)",
		"fsync_after_insert = 1",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if len(all) != 9 {
		t.Errorf("%d statements", len(all))
	}
}
