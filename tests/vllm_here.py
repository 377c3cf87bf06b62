"""How tests run vLLM beside each other: one thread an engine, so that engines do not wait for each other's cores."""

ENVIRONMENT = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1"}
"""A cache of 1 GiB is plenty; where engines of several tests calculate at a time, no core is theirs alone."""
