package sigma

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Speed is how many events a second a set of rules follows.
type Speed struct {
	Rules, Events, Hits int
	Workers             int
	Took                time.Duration
}

// PerSecond is the events a second of all workers together.
func (s Speed) PerSecond() float64 {
	if s.Took <= 0 {
		return 0
	}
	return float64(s.Events) / s.Took.Seconds()
}

// Measure asks the set about every event, rounds times, with that many workers
// at once; now is the clock the time is taken from.
func (s *Set) Measure(events []Record, rounds, workers int, now func() time.Time) Speed {
	workers = max(workers, 1)
	hits := make([]int, workers)
	var group sync.WaitGroup
	start := now()
	for w := range workers {
		group.Go(func() {
			m := s.NewMatcher()
			var got []int32
			for range rounds {
				for i := w; i < len(events); i += workers {
					got = m.Match(events[i], got)
					hits[w] += len(got)
				}
			}
		})
	}
	group.Wait()
	out := Speed{Rules: len(s.rules), Events: len(events) * rounds, Workers: workers, Took: now().Sub(start)}
	for _, h := range hits {
		out.Hits += h
	}
	return out
}

// Stream makes n events such as the machines of a hospital send: sessions,
// programs, files, registry, network, names, scripts, system logs; one in
// twenty is one of the given suspicious events, if any. The same seed gives
// the same stream.
func Stream(suspicious []Record, n int, seed uint64) []Record {
	r := rand.New(rand.NewPCG(seed, 0x5169)) //nolint:gosec // a measurement, no secret
	out := make([]Record, 0, n)
	for i := range n {
		if i%20 == 0 && len(suspicious) > 0 {
			out = append(out, suspicious[r.IntN(len(suspicious))])
			continue
		}
		out = append(out, ordinary(r))
	}
	return out
}

// texts makes a record of pairs of names and texts.
func texts(pairs ...string) Record {
	r := make(Record, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		r[pairs[i]] = []Value{Text(pairs[i+1])}
	}
	return r
}

func one(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }

const sysmonChannel = "Microsoft-Windows-Sysmon/Operational"

// ordinary is an event of an ordinary day.
func ordinary(r *rand.Rand) Record {
	user := fmt.Sprintf(`CHU\u%05d`, r.IntN(4300))
	host := fmt.Sprintf("PC-%05d.chu.example", r.IntN(3000))
	program := one(r, `C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE`, `C:\Program Files (x86)\Google\Chrome\Application\chrome.exe`, `C:\Windows\System32\svchost.exe`, `C:\Program Files\DPI\Client\dpi.exe`, `C:\Windows\explorer.exe`, `C:\Windows\System32\cmd.exe`, `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`)
	e := texts("Computer", host, "Channel", sysmonChannel, "Provider_Name", "Microsoft-Windows-Sysmon", "Level", "4", "Keywords", "0x8000000000000000", "UtcTime", "2026-11-30 08:14:02.511", "ProcessGuid", fmt.Sprintf("{%08x-3fb9-5c09-0000-0020e7030000}", r.Uint32()), "Image", program, "User", user, "RuleName", "-")
	e["ProcessId"] = []Value{Integer(r.Int64N(20000))}
	put := func(id int64, pairs ...string) Record {
		e["EventID"] = []Value{Integer(id)}
		for k, v := range texts(pairs...) {
			e[k] = v
		}
		return e
	}
	switch r.IntN(20) {
	case 0, 1, 2, 3, 4:
		command := fmt.Sprintf(`"%s" --type=renderer --lang=fr /dossier:%d --session %08x`, program, r.IntN(1_000_000), r.Uint32())
		return put(1, "CommandLine", command, "ParentImage", `C:\Windows\explorer.exe`, "ParentCommandLine", `C:\Windows\Explorer.EXE`, "CurrentDirectory", `C:\Users\`+user[4:]+`\`, "IntegrityLevel", "Medium", "OriginalFileName", "WinWord.exe", "Company", "Microsoft Corporation", "Product", "Microsoft Office", "Description", "Microsoft Word", "Hashes", fmt.Sprintf("SHA1=%040X,MD5=%032X,SHA256=%064X,IMPHASH=%032X", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()), "LogonId", "0x3e7", "TerminalSessionId", "1")
	case 5, 6, 7:
		return put(3, "Protocol", "tcp", "Initiated", "true", "SourceIp", fmt.Sprintf("10.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256)), "SourcePort", "51234", "DestinationIp", fmt.Sprintf("10.1.%d.%d", r.IntN(256), r.IntN(256)), "DestinationHostname", "dpi.chu.example", "DestinationPort", one(r, "443", "445", "1521", "2575"))
	case 8, 9:
		return put(7, "ImageLoaded", fmt.Sprintf(`C:\Windows\System32\%s`, one(r, "kernel32.dll", "ntdll.dll", "user32.dll", "version.dll", "gdi32.dll")), "Signed", "true", "Signature", "Microsoft Windows", "SignatureStatus", "Valid", "Hashes", fmt.Sprintf("SHA256=%064X", r.Uint64()), "OriginalFileName", "kernel32")
	case 10, 11:
		return put(11, "TargetFilename", fmt.Sprintf(`C:\Users\%s\AppData\Local\Temp\~DF%08X.tmp`, user[4:], r.Uint32()), "CreationUtcTime", "2026-11-30 08:14:02.511")
	case 12, 13:
		return put(13, "EventType", "SetValue", "TargetObject", fmt.Sprintf(`HKU\S-1-5-21-39600631-%d\Software\Microsoft\Office\16.0\Word\Reading Locations\Document %d`, r.IntN(100000), r.IntN(100)), "Details", "Binary Data")
	case 14:
		return put(22, "QueryName", one(r, "dpi.chu.example", "pacs.chu.example", "wpad.chu.example", "outlook.office.example"), "QueryStatus", "0", "QueryResults", "::ffff:10.1.2.3;")
	case 15, 16, 17:
		e = texts("Computer", host, "Channel", "Security", "Provider_Name", "Microsoft-Windows-Security-Auditing", "SubjectUserSid", "S-1-5-18", "SubjectUserName", "PC$", "TargetUserName", user[4:], "TargetDomainName", "CHU", "LogonType", one(r, "2", "3", "7", "10"), "IpAddress", "10.1.2.3", "WorkstationName", host, "LogonProcessName", "Kerberos", "AuthenticationPackageName", "Kerberos", "ProcessName", program)
		return put([]int64{4624, 4625, 4634, 4672, 4768, 4769}[r.IntN(6)])
	case 18:
		e = texts("Computer", host, "Channel", "Microsoft-Windows-PowerShell/Operational", "Provider_Name", "Microsoft-Windows-PowerShell", "Path", `C:\Scripts\inventaire.ps1`, "ScriptBlockText", fmt.Sprintf("$poste = Get-CimInstance -ClassName Win32_ComputerSystem\nif ($poste.TotalPhysicalMemory -lt %d) { Write-Output \"mémoire faible\" }\nGet-ChildItem C:\\Temp -Filter *.log | Where-Object { $_.Length -gt %d } | Remove-Item -Force", r.IntN(1<<30), r.IntN(100000)))
		return put(4104)
	}
	return texts("appname", one(r, "sshd", "sudo", "CRON", "systemd", "postfix/smtpd"), "hostname", host, "message", fmt.Sprintf("Accepted publickey for %s from 10.1.2.3 port %d ssh2: ED25519 SHA256:%016x", user[4:], r.IntN(65536), r.Uint64()))
}
