// Package sip is « Postes téléphoniques d'essai »: telephones and trunks that we
// did not write, for the tests of voice: sipp (Debian sip-tester) and Kamailio.
//
// It promises that what it starts listens on this machine only, and ends with the
// test by the process that was started.
package sip
