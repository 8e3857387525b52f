"""What people read: pages and tables generated from declarations and ledger, never kept by hand."""
