package sigma

// What a rule may weigh. The public set stays far below: its largest file has
// 300 kB and some 2,500 values.
const (
	maxFile       = 1 << 20 // bytes of a file of rules
	maxDocuments  = 200     // rules and correlations of one file
	maxDepth      = 24      // nested maps and lists
	maxNodes      = 60_000  // scalars, maps and lists of a file
	maxText       = 16_384  // bytes of one value to look for
	maxSelections = 200     // search identifiers of a rule
	maxTokens     = 1_000   // words of a condition
	maxTests      = 200_000 // tests a rule may come to once its condition is spread
	maxVariants   = 3_125   // forms of one value: five dashes, five times
	maxValues     = 40_000  // forms of all values of a rule
	maxPattern    = 4_096   // bytes of a regular expression
	maxProgram    = 4_000   // instructions of a regular expression
	maxWild       = 200     // pieces of a pattern between its * and ?
	maxGroupCount = 10_000  // events a correlation may ask for
)
