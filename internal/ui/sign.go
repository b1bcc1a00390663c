package ui

// SignSpec describes the page of a screen on a wall of the hospital.
type SignSpec struct {
	Title string
	// Refresh is after how many seconds the page asks again where no script runs.
	Refresh int
	// State is the address of what changes, asked by the script. Worker keeps the page for the time without a network.
	State, Worker string
	// Version is what the screen says it shows.
	Version string
	// Speaks lets the browser say what appears.
	Speaks bool
}
