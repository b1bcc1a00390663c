package pages

import (
	"context"

	"tocsin/internal/access"
	"tocsin/internal/directory/proof"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

// AlarmNotices tell on the first page that the directory has decayed.
type AlarmNotices struct{ Proof *proof.Service }

// Banners implements ui.Banners; it fails with Denied for who may not see the
// quality of the directory.
func (n AlarmNotices) Banners(ctx context.Context, scope access.Scope, loc *i18n.Localizer) ([]ui.Banner, error) {
	alarms, _, err := n.Proof.Alarms(ctx, scope)
	if err != nil {
		return nil, err
	}
	switch len(alarms) {
	case 0:
		return nil, nil
	case 1:
		return alarmNotice(loc, alarms[0].Sentence(loc), alarmPath(alarms[0])), nil
	}
	return alarmNotice(loc, loc.N("directory.page.notice.many", len(alarms), "first", alarms[0].Sentence(loc)), QualityPath), nil
}

// alarmNotice is one line, however many ring: those who come to launch must not
// look for their alerts below.
func alarmNotice(loc *i18n.Localizer, text, path string) []ui.Banner {
	return []ui.Banner{{Tone: ui.Attention, Mark: loc.T("directory.page.notice.mark"), Text: text, Path: path, Action: loc.T("directory.page.notice.see")}}
}
