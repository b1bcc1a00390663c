//go:build !linux

package espa

import "errors"

var errNoLine = errors.New("serial lines are spoken to on Linux; elsewhere, through a converter to TCP")

func openSerial(string, string, string) (port, error) { return nil, errNoLine }
