// Package uitest is « Le regard »: tests look at pages the way a person does,
// by what is there (a CSS selector) and what it says.
//
// It promises to read what was really written, and to say what the page showed
// when an assertion fails. It never starts a browser: that is test/browser.
package uitest
