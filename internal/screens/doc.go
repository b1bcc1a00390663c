// Package screens is « Écrans »: the screens of corridors, wards and
// workstations, which show the alerts that run.
//
// It promises that a screen shows what runs now, on whatever node answers it,
// and nothing else: what an alert says leaves the screen when it ends or is
// stopped, for a screen is told a state and not sent messages. It promises that a
// screen is one only once an administrator has typed the code it shows; that one
// which is taken back shows nothing any more; and that a screen which is silent is seen.
//
// It never replaces the fire-safety system and says so on every screen, never
// shows a name of anybody, and stays dark for an alert of the profile discret.
package screens
