package main

import (
	"golang.org/x/mod/sumdb/tlog"
)

type treesInput struct {
	Entries [][]byte `json:"entries"`
	Sizes   []int64  `json:"sizes"`
}

type treeReport struct {
	Size int64  `json:"size"`
	Root []byte `json:"root"`
	// By index of the leaf, and by size of the older tree from 1 on.
	Inclusion   [][][]byte `json:"inclusion"`
	Consistency [][][]byte `json:"consistency"`
}

// describeTrees reports roots and all proofs of trees as x/mod's sumdb/tlog computes them.
func describeTrees(input treesInput) []treeReport {
	stored := []tlog.Hash{}
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := []tlog.Hash{}
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for index, entry := range input.Entries {
		stored = append(stored, must(tlog.StoredHashes(int64(index), entry, reader))...)
	}
	reports := []treeReport{}
	for _, size := range input.Sizes {
		root := must(tlog.TreeHash(size, reader))
		report := treeReport{Size: size, Root: root[:], Inclusion: [][][]byte{}, Consistency: [][][]byte{}}
		for index := int64(0); index < size; index++ {
			report.Inclusion = append(report.Inclusion, bytesOf(must(tlog.ProveRecord(size, index, reader))))
			report.Consistency = append(report.Consistency, bytesOf(must(tlog.ProveTree(size, index+1, reader))))
		}
		reports = append(reports, report)
	}
	return reports
}

func bytesOf(list []tlog.Hash) [][]byte {
	result := [][]byte{}
	for _, one := range list {
		result = append(result, append([]byte{}, one[:]...))
	}
	return result
}
