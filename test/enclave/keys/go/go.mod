module holdfast.test/key-peer

go 1.26
