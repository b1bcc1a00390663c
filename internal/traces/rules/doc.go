// Package rules is « Règles Sigma en service »: a folder of rules, read again
// when it changes, and the Detector that asks them of what comes in.
//
// It promises that a rule which cannot be read is told with its file and its
// line while the others serve, that a rule switched off by a person of an
// establishment opens nothing there, and that what an establishment's events add
// up to is never mixed with another's.
//
// It never writes in the folder, and downloads no rule: the hospital puts there
// what it chose. The few rules that come with the product are our own.
package rules
