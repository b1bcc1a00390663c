package sigma

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Invent makes n rules such as the public ones are: half of them on programs
// that start, with names, pieces of command lines and exclusions. The words
// are invented. The same seed gives the same rules: a measurement needs no
// rules of others.
func Invent(n int, seed uint64) ([]*Rule, error) {
	out := make([]*Rule, 0, n)
	for _, text := range InventTexts(n, seed) {
		c, err := Parser{}.Parse("invented.yml", []byte(text))
		if err != nil {
			return nil, err
		}
		out = append(out, c.Rules...)
	}
	return out, nil
}

// InventTexts are the rules of Invent, as files hold them.
func InventTexts(n int, seed uint64) []string {
	r := inventor{rand.New(rand.NewPCG(seed, 0x1e5))} //nolint:gosec // a measurement, no secret
	out := make([]string, n)
	for i := range out {
		out[i] = r.rule(i)
	}
	return out
}

type inventor struct{ *rand.Rand }

func (r inventor) word() string {
	var b strings.Builder
	for range r.IntN(3) + 2 {
		b.WriteString(one(r.Rand, "ma", "ro", "ti", "lek", "sun", "po", "dri", "ves", "can", "hu", "bo", "zer", "fil", "gra", "nix", "que"))
	}
	return b.String()
}

// values is a list of n values made by f.
func (r inventor) values(n int, f func() string) string {
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, "\n      - '%s'", f())
	}
	return b.String()
}

// program is one that nobody has, or one time in six that everybody has: rules
// speak of these most, and an index must live with it.
func (r inventor) program() string {
	if r.IntN(6) == 0 {
		return one(r.Rand, `\cmd.exe`, `\powershell.exe`, `\WINWORD.EXE`, `\chrome.exe`, `\svchost.exe`)
	}
	return `\` + r.word() + ".exe"
}

func (r inventor) option() string {
	if r.IntN(40) == 0 {
		return one(r.Rand, " --type=", " --lang=", " /dossier", ".exe")
	}
	return one(r.Rand, " -", " /", " --") + r.word()
}

// rule writes one rule; shares of log sources and of kinds of values are about
// those of the public set.
func (r inventor) rule(i int) string {
	head := fmt.Sprintf("title: Invented %d\nid: invented-%d\nlevel: medium\nlogsource: {product: ", i, i)
	var source, body string
	switch r.IntN(20) {
	case 0, 1:
		source = "windows, category: registry_set"
		body = "\n  s:\n    TargetObject|contains:" + r.values(r.IntN(4)+1, func() string { return `\Software\` + r.word() + `\` + r.word() }) + "\n    Details|startswith:" + r.values(1, r.word)
	case 2, 3:
		source = "windows, category: file_event"
		body = "\n  s:\n    TargetFilename|endswith:" + r.values(r.IntN(8)+1, r.program) + "\n  f:\n    Image|startswith:" + r.values(1, func() string { return `C:\` + r.word() })
	case 4:
		source = "windows, category: image_load"
		body = "\n  s:\n    ImageLoaded|endswith:" + r.values(r.IntN(6)+1, func() string { return `\` + r.word() + ".dll" }) + "\n  f:\n    ImageLoaded|contains:" + r.values(2, func() string { return `\` + r.word() + `\` })
	case 5:
		source = "windows, category: ps_script"
		body = "\n  s:\n    ScriptBlockText|contains|all:" + r.values(r.IntN(3)+2, r.word)
	case 6:
		source = "windows, service: security"
		body = fmt.Sprintf("\n  s:\n    EventID: %d\n    TargetUserName|endswith:", 4600+r.IntN(200)) + r.values(2, r.word)
	case 7:
		source = "windows, category: network_connection"
		body = "\n  s:\n    DestinationHostname|endswith:" + r.values(r.IntN(10)+1, func() string { return r.word() + ".example" }) + "\n  f:\n    DestinationIp|cidr: 10.0.0.0/8"
	case 8:
		source = "linux"
		body = "\n  s:" + strings.ReplaceAll(r.values(r.IntN(4)+1, func() string { return r.word() + " " + r.word() }), "\n      ", "\n    ")
	case 9:
		source = "windows, category: process_creation"
		body = "\n  s:\n    CommandLine|re: '" + r.word() + `\s+[a-z]{2,8}\d+` + "'\n  p:\n    ParentImage|endswith:" + r.values(2, r.program)
	default:
		source = "windows, category: process_creation"
		body = "\n  s:\n    Image|endswith:" + r.values(r.IntN(4)+1, r.program) + "\n    OriginalFileName:" + r.values(1, func() string { return r.word() + ".exe" }) +
			"\n  c:\n    CommandLine|contains" + one(r.Rand, "", "|all", "|windash") + ":" + r.values(r.IntN(5)+1, r.option) +
			"\n  f:\n    ParentImage|startswith:" + r.values(1, func() string { return `C:\Program Files\` + r.word() })
	}
	return head + source + "}\ndetection:" + body + "\n  condition: " + r.condition(body) + "\n"
}

func (r inventor) condition(body string) string {
	out := "s"
	switch {
	case strings.Contains(body, "\n  c:"):
		out = one(r.Rand, "s and c", "s and c", "s and c", "c")
	case strings.Contains(body, "\n  p:"):
		out = "s and p"
	}
	if strings.Contains(body, "\n  f:") {
		out += " and not 1 of f*"
	}
	return out
}
