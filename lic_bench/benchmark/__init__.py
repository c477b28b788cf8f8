"""From a request to rows in a run folder: plan, runner, worker, timing, memory, environment."""
