// Package pager is « Canal récepteurs de poche »: pages by SNPP (RFC 1861) to the
// paging server of the hospital or of an operator.
//
// It promises that a pager the server does not know is said wrong for ever, that
// nothing counts as sent before the server's word, and that a page of which no word
// came back after it was submitted is said uncertain. Level 1 carries it; what level 2
// adds (service level, caller) is used where the settings ask for it.
//
// It never holds more connections than the contract allows, keeps none open between
// two pages, and writes no identifier and no text to the log.
package pager
