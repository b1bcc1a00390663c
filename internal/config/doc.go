// Package config is « Réglages »: what the person who installs the program
// decides once: addresses, folders, database, certificates.
//
// It promises one order: a flag wins over an environment variable TOCSIN_X,
// which wins over the file, which wins over the default; that a secret can
// come from a file of its own (TOCSIN_X_FILE, or x-file in the file); that a
// misspelt key is refused with its line; and one clear sentence per wrong value.
//
// It never shows the value of a secret, and it holds nothing that is decided
// in the pages (establishments, channels, scenarios): that is data.
//
// How a command uses it:
//
//	type serve struct{ config.Server }
//
//	source := config.Find(os.Args[1:], os.LookupEnv)
//	parser, err := kong.New(&cli, source.Options()...)
//	_, err = parser.Parse(os.Args[1:])
//	for _, f := range config.Faults(err) { fmt.Fprintln(os.Stderr, loc.Fault(f)) }
package config
