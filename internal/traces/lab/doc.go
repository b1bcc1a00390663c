// Package lab is « L'hôpital d'essai »: the traces of an invented hospital, with
// the care that explains them, and misbehaviour planted in them under a label. It
// is how the detection is measured, and what a running Tocsin can be fed with.
//
// It promises that the same options give the same events; roles, services, three
// shifts, weekends and public holidays, stays with transfers, appointments,
// prescriptions, on-call, several applications; and what makes detection hard:
// common surnames, relatives who are cared for, patients opened by mistake,
// messages of care that come late or never, functions that work across services,
// nurses lent to another ward, emergencies, accounts that are shared or of
// programs, audits and letters by the dozen.
//
// It plants wrong accesses with the hands, hours and workstations of ordinary
// ones: nothing in an event tells its label. It never resembles a real person:
// names are drawn from lists, addresses and numbers are invented.
//
// What it finds is the figure of an invented hospital: a real one has habits
// that nobody thought of here.
package lab
