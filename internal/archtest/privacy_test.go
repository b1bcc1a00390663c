package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// personTables hold rows about one member of staff. A new one is added here by
// somebody who has asked what it will be used for.
var personTables = []string{
	"alerting_answers", "alerting_attempts", "alerting_quota_people", "alerting_recalls", "alerting_recipients", "alerting_roll_people", "alerting_stays",
	"alerting_unmatched", "directory_absences", "directory_asked", "directory_conflicts", "directory_contacts", "directory_corrections", "directory_import_results",
	"directory_members", "directory_oncall_calendars", "directory_oncall_replacements", "directory_oncall_swaps", "directory_people", "directory_preferences", "directory_roster_people", "directory_shifts",
	"dispatch_deliveries", "dispatch_replies", "space_code_tries", "space_codes", "space_devices", "space_invitations",
	"traces_care_accounts", "traces_care_keys", "traces_care_members",
}

var (
	createTable = regexp.MustCompile(`(?is)CREATE TABLE (?:IF NOT EXISTS )?(\w+)\s*\((.*?)\n\);`)
	addColumn   = regexp.MustCompile(`(?i)ALTER TABLE (\w+) ADD COLUMN (\w+)`)
	ofPerson    = regexp.MustCompile(`(?im)^\s*(?:person_id|recipient_id|subject_id|last_name)\s`)
	column      = regexp.MustCompile(`(?im)^\s*([a-z_]+)\s+(?:UUID|TEXT|BIGINT|BOOLEAN|BYTEA)`)
	// judges are the words of a column that would judge somebody.
	judges = regexp.MustCompile(`(?i)(^|_)(score|rating|rated|grade|note|notation|fiabilite|reliability|loyalty|merit|ranking|percentile|refusals|refus_count|answer_rate|response_rate|absences_count)(_|$)`)
)

// TestNobodyIsScored reads every migration: no table keeps a judgement of a
// person, and no table about people appears unseen. The refusals of one person
// are never added up: there is no place to put the sum.
func TestNobodyIsScored(t *testing.T) {
	about := map[string]bool{}
	check := func(path, table string, columns []string) {
		for _, c := range columns {
			if judges.MatchString(c) {
				t.Errorf("%s: %s.%s judges a person", path, table, c)
			}
		}
	}
	err := filepath.WalkDir(filepath.Join(root, "internal"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Base(filepath.Dir(path)) != "migrations" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range createTable.FindAllStringSubmatch(string(text), -1) {
			if !ofPerson.MatchString(m[2]) {
				continue
			}
			about[m[1]] = true
			var columns []string
			for _, c := range column.FindAllStringSubmatch(m[2], -1) {
				columns = append(columns, c[1])
			}
			check(path, m[1], columns)
		}
		for _, m := range addColumn.FindAllStringSubmatch(string(text), -1) {
			check(path, m[1], []string{m[2]})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for table := range about {
		if !slices.Contains(personTables, table) {
			t.Errorf("%s keeps rows about people: say here that somebody looked at it", table)
		}
	}
	for _, table := range personTables {
		if !about[table] {
			t.Errorf("%s is no table about people any more", table)
		}
	}
}

// TestNoPageShowsAScoreOfAPerson reads the pages where one person is seen.
func TestNoPageShowsAScoreOfAPerson(t *testing.T) {
	seen := 0
	for _, folder := range []string{"alerting/pages", "alerting/report", "directory/pages"} {
		err := filepath.WalkDir(filepath.Join(root, "internal", folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".templ") || !regexp.MustCompile(`(?i)person|people|door`).MatchString(filepath.Base(path)) {
				return err
			}
			text, err := os.ReadFile(path)
			seen++
			for _, word := range []string{"score", "rating", "fiabilit", "reliab"} {
				if strings.Contains(strings.ToLower(string(text)), word) {
					t.Errorf("%s speaks of a %s", path, word)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 3 {
		t.Errorf("only %d pages about people were found", seen)
	}
}
