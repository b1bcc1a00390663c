// Package pages is « L'accueil »: the pages where people come in, look after
// their account and open the house to others.
//
// It promises that a password and a code are enough, without script; that a
// refusal never says whether a login exists; and that a secret is shown once.
//
// It never judges a password or a role itself: identity does.
package pages
