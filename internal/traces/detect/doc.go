// Package detect is « Ce qui sort de l'ordinaire »: it looks at who opened the
// record of which patient, sets aside what the care of the patient explains, and
// tells what a person should look at, with its reasons.
//
// It promises that an access which a stay, an appointment, a prescription, a
// team or an on-call explains is never held against anybody; that each reason is
// a sentence and a weight that can be read here (weigh.go); that memory is
// bounded; that what is learnt survives a restart (Snapshot, Restore); that the
// time is always the events'; and that what could not be judged, because the
// care or the staff could not be read, is counted as such and never told as a
// suspicion.
//
// It never decides that somebody did wrong, never ranks people, keeps no score
// of a person, and says nothing of an establishment that gives no messages of
// care but what needs none: volumes, and accounts of people who left.
//
// Methods, and where they come from:
//
//   - Explained access: D. Fabbri and K. LeFevre, “Explanation-Based Auditing”,
//     PVLDB 5(1), 2011; what is left is what people look at.
//   - Rules on the rest, and how often each fires by chance: M. Hedda, B. Malin,
//     C. Yan, D. Fabbri, “Evaluating the Effectiveness of Auditing Rules for
//     Electronic Health Record Systems”, AMIA Annual Symposium 2017.
//   - Sum of weights of evidence (log likelihood ratios), with the agreement on a
//     name weighed by how common the name is: I. J. Good, “Probability and the
//     Weighing of Evidence”, 1950; I. Fellegi and A. Sunter, “A Theory for Record
//     Linkage”, JASA 64, 1969.
//   - Volumes: negative binomial counts whose dispersion is that of the peers
//     (A. C. Cameron and P. K. Trivedi, “Regression Analysis of Count Data”, NB2,
//     by moments), learnt without what stands out, as A. Noufaily et al., “An
//     improved algorithm for outbreak detection in multiple surveillance systems”,
//     Statistics in Medicine 32, 2013.
//   - Second opinion of the community: Y. Chen, S. Nyemba, W. Zhang, B. Malin,
//     “Specializing network analysis to detect anomalous insider actions”,
//     Security Informatics 1:5, 2012, over sketches (M. Charikar, K. Chen,
//     M. Farach-Colton, “Finding Frequent Items in Data Streams”, 2002).
package detect
