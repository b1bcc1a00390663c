// Package archtest is « Le plan de la maison »: the plan of docs/building.md
// held against the code. It contains only tests; to change the plan, change
// the plan, this test and an ADR together.
package archtest
