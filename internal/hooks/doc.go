// Package hooks is « Liaisons »: what Tocsin tells other programs of its
// alerts, and what other programs may start here.
//
// It promises that what happened in an alert and the intent to tell it are
// written in one transaction; that a message is told again until it is
// answered, for three days, then shown as lost and can be sent again; that
// one which may have left twice says so; that both ways are signed; and that
// a monitor which repeats itself starts one alert.
//
// It never puts a person in a message, never follows a redirection, never
// reaches an address of the inside unless an administrator said so, and never
// starts a scenario that a person did not authorise for that door.
package hooks
