// Package access is « Les droits »: for which establishment one acts, as whom,
// and whether one may.
//
// It promises that nothing is reachable without a Scope, that what no policy
// permits is refused, and that the policies are Cedar files a person can read
// (policies/*.cedar).
//
// It never knows where roles are kept (identity) and never decides what to show.
package access
