// Package assist is « L'assistant d'import »: what every import of a table has in
// common, whatever the table is about: knowing a file by its header, proposing
// what each column is, keeping a row until somebody confirms it, and saying
// what is wrong line by line.
//
// It promises that a header is recognised whatever its case and accents, that
// what is kept suits both databases, and that a row given back to a
// spreadsheet runs nothing.
//
// It never knows what the rows are: people, devices; each room says its fields.
package assist
