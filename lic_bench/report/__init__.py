"""From a run's rows to tables, charts and one page. Loads no codec and touches no network."""
