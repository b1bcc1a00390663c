// Package ldap is « Serveur d’annuaire »: it reads a list of people from an
// LDAP directory or from Active Directory, as a table like any staff file.
//
// It promises to read page by page (RFC 2696), to say in one clear sentence
// what the server refuses, and that a reading cut in the middle is an error
// and never a shorter list.
//
// It never writes to the server, never follows a referral and never decides
// what becomes of anybody.
package ldap
