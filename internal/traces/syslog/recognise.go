package syslog

import (
	"strings"

	"tocsin/internal/traces"
)

// recognise reads the few sentences by which Unix says who came in and who was
// refused, so that the questions about logins see them. It only adds.
func recognise(e *traces.Event) {
	switch e.Application {
	case "sshd", "sshd-session", "dropbear":
		sshd(e)
	case "sudo":
		sudo(e)
		pam(e)
	case "su", "login", "gdm-password]", "gdm-password", "lightdm", "vsftpd", "cron", "CRON", "systemd", "polkitd", "dovecot":
		pam(e)
	}
}

func sshd(e *traces.Event) {
	m := e.Message
	switch {
	case strings.HasPrefix(m, "Accepted "):
		e.Action, e.Outcome = traces.Login, traces.Success
		e.Account, e.Address = between(m, " for ", " from "), word(m, " from ")
	case strings.HasPrefix(m, "Failed "):
		e.Action, e.Outcome = traces.Login, traces.Denied
		e.Account, e.Address = strings.TrimPrefix(between(m, " for ", " from "), "invalid user "), word(m, " from ")
	case strings.HasPrefix(m, "Invalid user "):
		e.Action, e.Outcome = traces.Login, traces.Denied
		e.Account, e.Address = between(m, "Invalid user ", " from "), word(m, " from ")
	case strings.HasPrefix(m, "Disconnected from user "):
		e.Action, e.Outcome = traces.Logout, traces.Success
		rest := strings.TrimPrefix(m, "Disconnected from user ")
		e.Account, rest, _ = strings.Cut(rest, " ")
		e.Address, _, _ = strings.Cut(rest, " ")
	default:
		pam(e)
	}
}

// sudo writes "alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls".
func sudo(e *traces.Event) {
	account, rest, ok := strings.Cut(e.Message, " : ")
	if !ok || strings.Contains(account, " ") || !strings.Contains(rest, "COMMAND=") {
		return
	}
	e.Account, e.Action, e.Outcome = account, traces.Execute, traces.Success
	e.Delegate, e.Object = word(rest, "USER="), after(rest, "COMMAND=")
	if strings.Contains(rest, "incorrect password") || strings.HasPrefix(rest, "command not allowed") || strings.Contains(rest, "NOT in sudoers") {
		e.Outcome = traces.Denied
	}
}

func pam(e *traces.Event) {
	m := e.Message
	switch {
	case !strings.HasPrefix(m, "pam_"):
	case strings.Contains(m, ": session opened for user "):
		e.Action, e.Outcome, e.Account = traces.Login, traces.Success, bare(word(m, " for user "))
	case strings.Contains(m, ": session closed for user "):
		e.Action, e.Outcome, e.Account = traces.Logout, traces.Success, bare(word(m, " for user "))
	case strings.Contains(m, ": authentication failure;"):
		e.Action, e.Outcome, e.Account, e.Address = traces.Login, traces.Denied, word(m, " user="), word(m, " rhost=")
	}
}

// bare takes "(uid=0)" off "root(uid=0)".
func bare(account string) string {
	account, _, _ = strings.Cut(account, "(")
	return account
}

func between(s, from, to string) string {
	_, rest, ok := strings.Cut(s, from)
	if !ok {
		return ""
	}
	got, _, ok := strings.Cut(rest, to)
	if !ok {
		return ""
	}
	return got
}

func after(s, from string) string {
	_, rest, _ := strings.Cut(s, from)
	return rest
}

func word(s, from string) string {
	got, _, _ := strings.Cut(after(s, from), " ")
	return got
}
