// Package hl7 is « Les messages HL7 v2 »: what the applications of a hospital
// tell each other of its patients, read as IHE PAM and its French extension
// (PAM.fr 2.11) use HL7 v2.5: identities, movements of stays, appointments,
// prescriptions.
//
// It promises that any bytes end in news or in one sentence, that memory stays
// within a small multiple of the message, and that what it does not know is left
// aside, never guessed at.
//
// It never keeps anything, and never hears anybody: see traces/care and
// traces/mllp.
package hl7
