// Package quality estimates how people would judge a call from what the
// network did to its packets, with the E-model of ITU-T G.107.
package quality
