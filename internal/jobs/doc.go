// Package jobs is « Les tâches »: work that goes on without a person, and the
// lease by which one node among several does it.
//
// It promises that a task which fails or panics is logged and tried again,
// that Stop waits for the task under way, and that a lease which its holder
// cannot renew is lost by the holder before another may take it.
//
// It never knows what a task does: claims of rows are the rooms' own SQL.
package jobs
