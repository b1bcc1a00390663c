// Package live is « Direct »: it tells the pages that something has moved, and
// carries the news to the browsers by server-sent events.
//
// It promises that a thousand viewers cost one reading of the database per
// tick, that a viewer who reads slowly is dropped and delays nobody, and that
// a page whose link fell catches up by itself.
//
// It never carries the truth: news may be lost or merged (another node, a
// restart), so a page always shows a snapshot read from the database, and a
// watched board reads again after a while without any news.
//
// How a page uses it:
//
//	hub := live.NewHub()                                   // one for the program
//	board := live.NewBoard[Figures](hub, live.Pace{Every: time.Second, Stale: 5 * time.Second, Clock: clock.Real()})
//	defer board.Close()
//	hub.Notify("alert:" + id)                              // after the commit of a change
//	snapshots := board.Watch(r.Context(), "alert:"+id, load) // one channel per viewer
//	err := live.Stream(w, r, live.Options{}, snapshots, render)
package live
