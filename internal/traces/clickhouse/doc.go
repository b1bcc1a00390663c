// Package clickhouse is « La base des traces sur ClickHouse »: the same base on
// a server, or a cluster, of its own.
//
// It promises the same answers as every engine; that an event is stored once
// however often a batch is told again and whoever dies in between; that no text
// of a person is ever part of a statement but as hexadecimal digits; and that
// nothing the server answers can fill the memory.
//
// It never starts nor watches the server: that is whoever runs it. It never
// writes what it was answered in the log, which names patients.
package clickhouse
