"""The public sources: where each is from, under which licence, and which family it belongs to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A data file by its name below the data folder, without ending."""

    file: str
    family: str
    origin: str
    licence: str
    is_learned: bool = True
    """False: measured on only, as its licence forbids commercial use or demands share-alike."""

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.file.rsplit("/", 1)[-1]


CC_BY, APACHE, MIT = "CC-BY-4.0", "Apache-2.0", "MIT"
_MLC = "aiverify-foundation/moonshot-data (MLCommons AI Safety v0.5)"
_WILDGUARD = "allenai/wildguardmix (Han et al. 2024)"

SOURCES = (
    Source("convabuse", "convabuse", "amandacurry/convabuse (Cercas Curry et al. 2021)", CC_BY),
    Source("hatecheck", "hatecheck", "paul-rottger/hatecheck-data (Röttger et al. 2021)", CC_BY),
    Source("multilingual_hatecheck", "hatecheck", "rewire-online/multilingual-hatecheck (Röttger et al. 2022)", CC_BY),
    Source("openai_moderation", "moderation", "openai/moderation-api-release (Markov et al. 2023)", MIT),
    Source("diasafety", "diasafety", "thu-coai/DiaSafety (Sun et al. 2022)", APACHE),
    Source("mlc_v05_malicious", "mlc", _MLC, CC_BY),
    Source("mlc_v05_vulnerable", "mlc", _MLC, CC_BY),
    Source("mlc_v05_typical", "mlc", _MLC, CC_BY),
    Source("harmbench", "advbench", "centerforaisafety/HarmBench (Mazeika et al. 2024)", MIT),
    Source("strongreject", "advbench", "alexandrasouly/strongreject (Souly et al. 2024)", MIT),
    Source("more/advbench", "advbench", "llm-attacks/llm-attacks (Zou et al. 2023)", MIT),
    Source("bailbench", "bail", "Phylliida/BailStudy, BailBench", MIT),
    Source("bailstudy_nonbail_wildchat", "bail", "Phylliida/BailStudy, prompts drawn from WildChat", MIT),
    Source("xstest_prompts", "xstest", "paul-rottger/exaggerated-safety (Röttger et al. 2024)", CC_BY),
    Source("weighted_safety_refusal", "xstest", "weighted-safety-refusal 0.1.1", MIT),
    Source("safemtdata_attack600", "advbench", "AI45Lab/ActorAttack, SafeMTData (Ren et al. 2024)", MIT),
    Source("jailbreakbench_artifacts", "advbench", "JailbreakBench/artifacts (Chao et al. 2024)", MIT),
    Source("gptfuzz_responses", "advbench", "sherdencooper/GPTFuzz (Yu et al. 2023)", MIT),
    Source("counsel_chat", "counsel", "nbertagnolli/counsel-chat", MIT),
    Source("vera_mh", "vera", "SpringCare/VERA-MH", "MIT, with 'Material' for 'Software' (Spring Care)"),
    Source("chatgpt_refusals", "chatgpt", "maxwellreuter/chatgpt-refusals (Reuter and Schulze 2023)", MIT),
    Source("more/or_bench_hard_toxic", "orbench", "bench-llm/or-bench (Cui et al. 2024)", CC_BY),
    Source("more/wildguard_test", "wildguard", _WILDGUARD, "ODC-BY"),
    Source("more/wildguard_train_sample", "wildguard", _WILDGUARD, "ODC-BY"),
    Source("more/aegis_train_sample", "wildguard", "nvidia/Aegis-AI-Content-Safety-Dataset-1.0", CC_BY),
    Source("more/air_bench_sample", "wildguard", "stanford-crfm/air-bench-2024 (Zeng et al. 2024)", CC_BY),
    Source("more/xsafety", "xsafety", "Jarviswang94/Multilingual_safety_benchmark (Wang et al. 2023)", APACHE),
    Source("more/multijail", "multijail", "DAMO-NLP-SG/multilingual-safety-for-LLMs (Deng et al. 2023)", MIT),
    Source("more/catqa", "declare", "declare-lab/red-instruct, CatQA", APACHE),
    Source("more/harmfulqa", "declare", "declare-lab/red-instruct, HarmfulQA (Bhardwaj and Poria 2023)", APACHE),
    Source("more/med_safety_refusals", "medsafety", "AI4LIFE-GROUP/med-safety-bench (Han et al. 2024)", MIT),
    Source("more/cyberseceval_frr", "cyber", "meta-llama/PurpleLlama, CyberSecEval MITRE FRR", MIT),
    Source("more/smilechat", "smilechat", "qiuhuachuan/smile (Qiu et al. 2023)", "CC0-1.0"),
    Source("more/ugm_aicare", "ugm", "gigahidjrikaaa/UGM-AICare", MIT),
    Source("more/spiral_bench_kimi", "spiral", "sam-paech/spiral-bench", MIT),
    Source("more/germeval2018", "germeval", "uds-lsv/GermEval-2018-Data (Wiegand et al. 2018)", CC_BY),
    Source("more/cold", "cold", "thu-coai/COLDataset (Deng et al. 2022)", APACHE),
    Source(
        "more/davidson_hate", "davidson", "t-davidson/hate-speech-and-offensive-language (Davidson et al. 2017)", MIT
    ),
    Source("more/mlma", "mlma", "HKUST-KnowComp/MLMA_hate_speech (Ousidhoum et al. 2019)", MIT),
    Source("more/goemotions", "goemotions", "google-research, GoEmotions (Demszky et al. 2020)", APACHE),
    Source("more/clinc_oos", "clinc_oos", "clinc/oos-eval (Larson et al. 2019)", "CC-BY-3.0"),
    Source("more/banking77", "banking77", "PolyAI-LDN/task-specific-datasets (Casanueva et al. 2020)", CC_BY),
    Source("more/arena_hard", "arena_hard", "lmarena/arena-hard-auto (Li et al. 2024)", APACHE),
    Source("more/self_instruct_user", "self_instruct_user", "yizhongw/self-instruct (Wang et al. 2022)", APACHE),
    Source("more/cvalues_responsibility", "cvalues_responsibility", "X-PLUG/CValues (Xu et al. 2023)", APACHE),
    Source("more/vicuna_multilingual", "vicuna", "FreedomIntelligence/MultilingualSIFT", APACHE),
    Source("more/mt_bench_multilingual", "vicuna", "lightblue-tech/multilingual-mt-bench, lm-sys/FastChat", APACHE),
    Source("more/taskmaster4", "taskmaster4", "google-research-datasets/Taskmaster, TM-4", CC_BY),
    Source("more/xpersona", "xpersona", "HLTCHKUST/Xpersona (Lin et al. 2020)", MIT),
    Source("more/oasst_trees", "oasst_trees", "LAION-AI/Open-Assistant (Köpf et al. 2023)", APACHE),
    Source("more/dolly_sample", "dolly", "databricks/dolly-15k", "CC-BY-SA-3.0", is_learned=False),
    Source("more/xsid", "xsid", "mainlp/xsid (van der Goot et al. 2021)", "CC-BY-SA-4.0", is_learned=False),
    Source(
        "sgd_test", "sgd", "google-research-datasets/dstc8-schema-guided-dialogue", "CC-BY-SA-4.0", is_learned=False
    ),
    Source("toxicchat", "toxicchat", "lmsys/toxic-chat (Lin et al. 2023)", "CC-BY-NC-4.0", is_learned=False),
)
"""What the reader of messages is trained or measured on, in the order in which rows are read."""

REPLY_SOURCES = (
    Source("xstest_completions", "xstest", "paul-rottger/exaggerated-safety (Röttger et al. 2024)", CC_BY),
    Source("chatgpt_refusals", "chatgpt", "maxwellreuter/chatgpt-refusals (Reuter and Schulze 2023)", MIT),
    Source("more/med_safety_refusals", "medsafety", "AI4LIFE-GROUP/med-safety-bench (Han et al. 2024)", MIT),
    Source("more/ko_redteam_replies", "ko_redteam", "Marker-Inc-Korea/ko-redteam", MIT),
    Source("more/oasst_trees", "oasst", "LAION-AI/Open-Assistant (Köpf et al. 2023)", APACHE),
    Source("more/dolly_sample", "dolly", "databricks/dolly-15k", "CC-BY-SA-3.0", is_learned=False),
)
"""The same for the reader of replies. Labels of jailbreaks say whether an attack worked: nothing about refusing."""
NOT_LEARNED = {
    "DiaSafety, category Risk Ignorance": "the labels are of the reply; only rows that were labelled by reading are learned",
    "VERA-MH, levels of risk": "they are the persona's, not the turn's; only rows that were labelled by reading are learned",
    "ToxiGen": "machine-written statements about groups; agreement of annotators hides what is said in play or quoted",
    "hakgal_crisis_synth": "one author's templates",
    "XSafety, crisis words": "a rule over the English line, not a label",
    "med_safety_prompts": "made with Llama-2, whose terms bar training other language models with its outputs",
    "ToLD-Br": "share-alike",
}
"""What lies in the data folder and teaches nothing, with the reason."""
