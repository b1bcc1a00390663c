// Package xlsx is « L'écriture des tableaux »: workbooks and CSV files that
// open well in the spreadsheet program of a hospital.
//
// It promises that no cell of ours is ever run as a formula, that the same
// content gives the same bytes, that texts stay texts (a leading zero is kept)
// and dates stay dates, and that document/table reads back what was written.
//
// It never writes a formula, a macro or a link.
package xlsx
