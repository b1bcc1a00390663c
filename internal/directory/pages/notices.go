package pages

import (
	"context"

	"tocsin/internal/access"
	"tocsin/internal/directory/proof"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

// alarmsShown is how many alarms the first page names one by one.
const alarmsShown = 3

// AlarmNotices tell on the first page that the directory has decayed.
type AlarmNotices struct{ Proof *proof.Service }

// Banners implements ui.Banners; it fails with Denied for who may not see the
// quality of the directory.
func (n AlarmNotices) Banners(ctx context.Context, scope access.Scope, loc *i18n.Localizer) ([]ui.Banner, error) {
	alarms, _, err := n.Proof.Alarms(ctx, scope)
	if err != nil {
		return nil, err
	}
	var out []ui.Banner
	for _, a := range alarms[:min(len(alarms), alarmsShown)] {
		out = append(out, ui.Banner{
			Tone: ui.Attention, Mark: loc.T("directory.page.notice.mark"), Text: a.Sentence(loc), Path: alarmPath(a), Action: loc.T("directory.page.notice.see"),
		})
	}
	if rest := len(alarms) - alarmsShown; rest > 0 {
		out = append(out, ui.Banner{
			Tone: ui.Attention, Mark: loc.T("directory.page.notice.mark"), Text: loc.N("directory.page.notice.more", rest), Path: QualityPath, Action: loc.T("directory.page.notice.see"),
		})
	}
	return out, nil
}
