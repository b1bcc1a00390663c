// Package mllp is « L’écoute des messages de soins »: the minimal lower layer
// protocol of HL7 v2 over TCP and TLS, by which the applications of a hospital
// tell of stays, appointments and prescriptions.
//
// It promises that a message is answered for only once it is on the disk; that
// one which could not be kept is left unanswered, so that its sender has it
// still; that a stranger is not believed; and that no sender, however fast, slow
// or talkative, makes memory grow or keeps another out.
//
// It never understands what is said: the format does. It never writes what a
// message says in the log.
package mllp
