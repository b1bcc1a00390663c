// Package alerts is « Les pages des alertes de traces »: the list of cases, the
// sheet of one, the rules of system logs with their trial, when cases alert, and
// the steps before the behaviour of staff is looked at, with the draft of the
// entry of the register.
//
// It promises that a case is handled without any script, that the list names no
// patient, and that every word of others is shown as text.
//
// It never decides who may: the operations do.
package alerts
