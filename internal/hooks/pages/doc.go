// Package pages is « Les liaisons, à l’écran »: who is told of alerts, what
// was told, and the doors by which a monitor starts a scenario.
//
// It promises that a secret is shown once, that what was lost is seen and can
// be sent again, and that a door says before it is made that it can wake people.
//
// It never sends a message itself.
package pages
