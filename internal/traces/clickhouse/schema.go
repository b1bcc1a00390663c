package clickhouse

import (
	"context"
	"fmt"
	"strings"

	"tocsin/internal/fault"
	"tocsin/internal/traces/terms"
)

// The tables.
//
//   - traces_events, a partition for each establishment, class and month, with
//     the place in the spool of each event: a block of one partition is stored
//     whole or not at all, so its own last place tells what it holds;
//   - traces_identities, who patients are, as events told it;
//   - traces_seen, the ids that protocols gave, by day of receipt;
//   - traces_applied, how far each spool was read, as a memory that may lag;
//   - traces_blocks, the sealed blocks of each partition: a run of events of one
//     spool, which it numbers from nought in each partition. A purge writes its
//     blocks again, in a later version, and forgets none: their numbers are not
//     given twice.
const (
	eventsTable     = "traces_events"
	identitiesTable = "traces_identities"
	seenTable       = "traces_seen"
	appliedTable    = "traces_applied"
	blocksTable     = "traces_blocks"
)

// numberColumns come before the texts, in the order that rows are written in.
const numberColumns = "organisation, class, month, happened, spool, segment, place, received, guessed, action, outcome, severity, source, ipp, ins"

// lineColumns are what a line of an answer has; the original and the id lie apart.
func lineColumns() string {
	names := []string{numberColumns}
	for _, c := range terms.Columns() {
		names = append(names, c.Name)
	}
	return listed(append(names, "extra"))
}

// form is a table: its columns, what it is cut and sorted by.
type form struct {
	name, columns, partition, order, engine, version string
	settings                                         string
	// everywhere has each server of a cluster hold all of it: it is small, and is
	// read as one.
	everywhere bool
}

// forms are the tables, for a server that syncs what it stores or one that
// cannot.
func forms(syncs bool) []form {
	var columns strings.Builder
	for _, c := range terms.Columns() {
		columns.WriteString(", " + c.Name + " String")
	}
	settings := "index_granularity = 8192"
	if syncs {
		settings += ", fsync_after_insert = 1, fsync_part_directory = 1"
	}
	return []form{
		{
			name: eventsTable, engine: "MergeTree", settings: settings,
			columns: "organisation String, class UInt8, month UInt32, happened Int64, spool String, segment UInt64, place Int64, received Int64, guessed UInt8, " +
				"action UInt8, outcome UInt8, severity Int8, source String, ipp String, ins String" + columns.String() + ", extra String, key_id String, key String, raw String, n Int64, salt FixedString(16), digest FixedString(32)",
			partition: "(organisation, class, month)", order: "(happened, segment, place, spool)",
		},
		{
			name: identitiesTable, engine: "ReplacingMergeTree", version: "told", settings: settings,
			columns: "organisation String, ipp String, ins String, told Int64", partition: "tuple()", order: "(organisation, ipp, ins)",
		},
		{
			name: seenTable, engine: "MergeTree", settings: settings,
			columns: "day UInt32, id String, received Int64, spool String, segment UInt64, place Int64", partition: "day", order: "id",
		},
		{
			name: appliedTable, engine: "MergeTree", settings: settings,
			columns: "spool String, segment UInt64, place Int64", partition: "tuple()", order: "(spool, segment, place)",
		},
		{
			name: blocksTable, engine: "ReplacingMergeTree", version: "version", settings: settings, everywhere: true,
			columns: "organisation String, class UInt8, month UInt32, first Int64, events Int64, lo Int64, hi Int64, root FixedString(32), spool String, start Int64, " +
				"cut String, gone UInt8, version UInt64",
			partition: "tuple()", order: "(organisation, class, month, first)",
		},
	}
}

// statements make a table: on one server itself; on a cluster a replicated part
// of it on every server, and under its name what spreads over the parts. What is
// cut together lies on one shard, so that it is stored whole there.
func (f form) statements(a Address) []string {
	body := func(engine string) string {
		return "(" + f.columns + ") ENGINE = " + engine + " PARTITION BY " + f.partition + " ORDER BY " + f.order + " SETTINGS " + f.settings
	}
	version := f.version
	if a.Cluster == "" {
		if version != "" {
			version = "(" + version + ")"
		}
		return []string{"CREATE TABLE IF NOT EXISTS " + f.name + " " + body(f.engine+version)}
	}
	if version != "" {
		version = ", " + version
	}
	replicated := func(place string) string { return fmt.Sprintf("Replicated%s(%s%s)", f.engine, place, version) }
	if f.everywhere {
		return []string{"CREATE TABLE IF NOT EXISTS " + f.name + " ON CLUSTER " + a.Cluster + " " +
			body(replicated(fmt.Sprintf("'/clickhouse/tables/every/%s/%s', '{shard}-{replica}'", a.Database, f.name)))}
	}
	shard := map[string]string{eventsTable: "cityHash64(organisation, class, month)", identitiesTable: "cityHash64(organisation)", seenTable: "cityHash64(day)", appliedTable: "cityHash64(spool)"}[f.name]
	return []string{
		"CREATE TABLE IF NOT EXISTS " + f.local(a) + " ON CLUSTER " + a.Cluster + " " + body(replicated(fmt.Sprintf("'/clickhouse/tables/{shard}/%s/%s', '{replica}'", a.Database, f.name))),
		"CREATE TABLE IF NOT EXISTS " + f.name + " ON CLUSTER " + a.Cluster + " (" + f.columns + ") ENGINE = Distributed(" + a.Cluster + ", " + a.Database + ", " + f.local(a) + ", " + shard + ")",
	}
}

// local is the table that holds the rows.
func (f form) local(a Address) string { return local(f.name, a) }

func local(name string, a Address) string {
	if a.Cluster == "" {
		return name
	}
	return name + "_local"
}

// onCluster says that a change is for every server.
func onCluster(a Address) string {
	if a.Cluster == "" {
		return ""
	}
	return " ON CLUSTER " + a.Cluster
}

// prepare makes the tables that are not there yet, and tells whether the server
// has what it stores on the disk before it answers.
func (s *server) prepare(ctx context.Context) (syncs bool, err error) {
	r, err := s.query(ctx, "SELECT toInt64(count()) FROM system.merge_tree_settings WHERE name IN ('fsync_after_insert', 'fsync_part_directory')")
	if err != nil {
		return false, err
	}
	syncs = r.int64() == 2
	if err := s.refuseOlder(ctx); err != nil {
		return syncs, err
	}
	if err := s.knowCluster(ctx); err != nil {
		return syncs, err
	}
	for _, f := range forms(syncs) {
		for _, statement := range f.statements(s.at) {
			if err := s.exec(ctx, statement); err != nil {
				return syncs, fmt.Errorf("table %s: %w", f.name, err)
			}
		}
	}
	return syncs, r.err()
}

// refuseOlder refuses a database whose events were stored before there was a seal:
// they have no number, and cannot be told from others.
func (s *server) refuseOlder(ctx context.Context) error {
	r, err := s.query(ctx, "SELECT toInt64(count()), toInt64(countIf(name = 'digest')) FROM system.columns WHERE database = '"+s.at.Database+"' AND table = '"+eventsTable+"'")
	if err != nil {
		return err
	}
	if columns, digest := r.int64(), r.int64(); columns > 0 && digest == 0 {
		return fault.New(fault.Conflict, "traces.clickhouse.older")
	}
	return r.err()
}

// knowCluster makes sure that the server knows the cluster.
func (s *server) knowCluster(ctx context.Context) error {
	if s.at.Cluster == "" {
		return nil
	}
	r, err := s.query(ctx, "SELECT toInt64(count()) FROM system.clusters WHERE cluster = '"+s.at.Cluster+"'")
	if err != nil {
		return err
	}
	if servers := r.int64(); r.err() == nil && servers == 0 {
		return fault.New(fault.Invalid, "traces.clickhouse.cluster", "cluster", s.at.Cluster)
	}
	return r.err()
}
