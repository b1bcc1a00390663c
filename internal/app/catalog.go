package app

import (
	"io/fs"
	"sync"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	"tocsin/internal/alerting"
	alertpages "tocsin/internal/alerting/pages"
	"tocsin/internal/alerting/report"
	"tocsin/internal/alerting/telephone"
	"tocsin/internal/backup"
	"tocsin/internal/bench"
	"tocsin/internal/channels"
	"tocsin/internal/channels/chat"
	"tocsin/internal/channels/email"
	"tocsin/internal/channels/espa"
	"tocsin/internal/channels/modem"
	"tocsin/internal/channels/pager"
	"tocsin/internal/channels/push"
	"tocsin/internal/channels/sms"
	"tocsin/internal/channels/smshttp"
	"tocsin/internal/channels/voice"
	"tocsin/internal/config"
	"tocsin/internal/demo"
	"tocsin/internal/directory"
	"tocsin/internal/directory/feed"
	"tocsin/internal/directory/ldap"
	"tocsin/internal/directory/oncall"
	directorypages "tocsin/internal/directory/pages"
	"tocsin/internal/directory/phone"
	"tocsin/internal/directory/proof"
	"tocsin/internal/dispatch"
	dispatchpages "tocsin/internal/dispatch/pages"
	"tocsin/internal/document/table"
	"tocsin/internal/hooks"
	"tocsin/internal/i18n"
	"tocsin/internal/identity"
	"tocsin/internal/inventory"
	inventorypages "tocsin/internal/inventory/pages"
	"tocsin/internal/jobs"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/organisation/finess"
	organisationpages "tocsin/internal/organisation/pages"
	"tocsin/internal/rest"
	"tocsin/internal/screens"
	"tocsin/internal/space"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	tracesapi "tocsin/internal/traces/api"
	"tocsin/internal/traces/atna"
	"tocsin/internal/traces/audits"
	"tocsin/internal/traces/bulk"
	"tocsin/internal/traces/care"
	"tocsin/internal/traces/cases"
	"tocsin/internal/traces/cef"
	"tocsin/internal/traces/columns"
	"tocsin/internal/traces/detect"
	"tocsin/internal/traces/duckdb"
	"tocsin/internal/traces/exports"
	"tocsin/internal/traces/fhir"
	"tocsin/internal/traces/files"
	"tocsin/internal/traces/gelf"
	"tocsin/internal/traces/hl7"
	"tocsin/internal/traces/jsonl"
	"tocsin/internal/traces/kept"
	"tocsin/internal/traces/otlp"
	tracepages "tocsin/internal/traces/pages"
	tracealerts "tocsin/internal/traces/pages/alerts"
	exportpages "tocsin/internal/traces/pages/exports"
	"tocsin/internal/traces/pull"
	"tocsin/internal/traces/rules"
	"tocsin/internal/traces/sigma"
	"tocsin/internal/traces/syslog"
	"tocsin/internal/traces/winevent"
	"tocsin/internal/ui"
	"tocsin/internal/vault"
	"tocsin/internal/wire/web"
)

// Migrations are the tables of every room.
func Migrations() []fs.FS {
	return []fs.FS{
		journal.Migrations, jobs.Migrations, rest.Migrations, organisation.Migrations, identity.Migrations,
		directory.Migrations, dispatch.Migrations, alerting.Migrations, hooks.Migrations, space.Migrations, screens.Migrations, inventory.Migrations, traces.Migrations,
	}
}

// Catalog are the sentences of every room. They are the program's own and do not
// change while it runs: whoever asks again gets the same.
func Catalog() (*i18n.Catalog, error) { return sentences() }

var sentences = sync.OnceValues(func() (*i18n.Catalog, error) {
	return i18n.Load(
		i18n.Locales, access.Locales, web.Locales, channels.Locales, sms.Locales, smshttp.Locales, modem.Locales, pager.Locales, chat.Locales, espa.Locales, voice.Locales, email.Locales, push.Locales, config.Locales, storage.Locales, backup.Locales, vault.Locales, journal.Locales, rest.Locales, ui.Locales,
		table.Locales, phone.Locales, finess.Locales, organisation.Locales, organisationpages.Locales, directory.Locales, directorypages.Locales, proof.Locales, feed.Locales, ldap.Locales, oncall.Locales,
		dispatch.Locales, dispatchpages.Locales, alerting.Locales, alertpages.Locales, report.Locales, telephone.Locales, hooks.Locales, space.Locales, screens.Locales, inventory.Locales, inventorypages.Locales, traces.Locales, tracesapi.Locales, rules.Locales, cases.Locales, sigma.Locales, tracealerts.Locales, tracepages.Locales, spool.Locales, identity.Locales, administration.Locales, demo.Locales, bench.Locales, Locales,
		columns.Locales, files.Locales, pull.Locales,
		kept.Locales, audits.Locales,
		exports.Locales, exportpages.Locales,
		syslog.Locales, atna.Locales, fhir.Locales, jsonl.Locales, gelf.Locales, bulk.Locales, cef.Locales, winevent.Locales, otlp.Locales, duckdb.Locales,
		detect.Locales,
		hl7.Locales, care.Locales,
	)
})
