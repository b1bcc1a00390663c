// Package pages is « Le registre et le carnet de santé »: the journal to be
// searched and taken away, and what the doctor says.
//
// It promises that filters stay in the address, that an entry is read as a
// small table and not as a program writes it, and that an export cannot run
// formulas in a spreadsheet.
//
// It never shows what the visitor's role may not read: the operations check.
package pages
