// Package gammu is « gammu-smsd »: the daemon that most Debian hosts give their GSM
// modem to, run for real with its dummy telephone.
//
// It promises that the daemon lives in the test's own folder, touches no device, and
// ends with the test; and that a missing program fails the test with one sentence
// saying what to install.
package gammu
