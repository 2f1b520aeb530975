"""The table of layouts: model folders of many architectures, tokenizers, modules and quirks, each a row."""

from __future__ import annotations

from collections.abc import Mapping

from tests.layout_folders import LIMIT, Row


def _flags(**chosen: bool) -> dict[str, bool]:
    return {f"pooling_mode_{name}": value for name, value in chosen.items()}


LEFT = {"direction": "Left", "max_length": LIMIT, "strategy": "LongestFirst", "stride": 0}
TOOL = {
    "content": "<tool>",
    "lstrip": False,
    "normalized": False,
    "rstrip": False,
    "single_word": False,
    "special": True,
}
NO_RUN = "the local engine cannot"

LAYOUTS: Mapping[str, Row] = {
    # architectures, each with the tokenizer that it usually has
    "bert": Row(),
    "bert-class": Row(tokenizer_class="BertTokenizer"),
    "distilbert": Row("distilbert", tokenizer_class="DistilBertTokenizer"),
    "mpnet": Row("mpnet", tokenizer_class="MPNetTokenizer"),
    "roberta": Row("roberta", "byte-level", "RobertaTokenizer"),
    "xlm-roberta": Row("xlm-roberta", "unigram", "XLMRobertaTokenizer"),
    "camembert": Row("camembert", "unigram", "CamembertTokenizer"),
    "no-tokenizer-class": Row(tokenizer_class=None),
    "roberta-no-tokenizer-class": Row("roberta", "byte-level", None),
    "class-in-config": Row(tokenizer_class=None, config={"tokenizer_class": "BertTokenizer"}),
    "unknown-tokenizer-class": Row(tokenizer_class="JumanppTokenizer", refused="tokenizer class"),
    "bert-of-roberta-tokens": Row("bert", "byte-level", "RobertaTokenizer", write={"vocab.json": None}),
    "xlm-roberta-as-stored": Row("xlm-roberta", "unigram"),
    # encoder settings
    "roberta-padding-0": Row("roberta", "byte-level", "RobertaTokenizer", config={"pad_token_id": 0}),
    "roberta-padding-3": Row("roberta", "byte-level", config={"pad_token_id": 3}),
    "mpnet-padding-0": Row("mpnet", config={"pad_token_id": 0}),
    "mpnet-buckets": Row("mpnet", config={"relative_attention_num_buckets": 32}),
    "heads-2": Row(config={"num_attention_heads": 2}),
    "one-layer": Row(config={"num_hidden_layers": 1}),
    "settings-unsaid": Row(config={"layer_norm_eps": None, "pad_token_id": None, "hidden_act": None}),
    "eps": Row(config={"layer_norm_eps": 0.01}),
    "distilbert-eps-is-fixed": Row("distilbert", config={"layer_norm_eps": 0.01}),
    "relu": Row(config={"hidden_act": "relu"}),
    "gelu-tanh": Row(config={"hidden_act": "gelu_pytorch_tanh"}),
    "quick-gelu": Row(config={"hidden_act": "quick_gelu"}, refused="activation 'quick_gelu'"),
    "decoder": Row(config={"is_decoder": True}, refused="is_decoder"),
    "relative-key": Row(config={"position_embedding_type": "relative_key"}, refused="position_embedding_type"),
    # weights
    "sharded": Row(weights="sharded"),
    "prefix": Row("mpnet", weights="prefix"),
    "gamma-beta": Row(weights="gamma"),
    "f16": Row(weights="f16"),
    "bf16": Row("roberta", "byte-level", weights="bf16"),
    "unused-tensors": Row(weights="extra"),
    "missing-tensor": Row(weights="missing", refused="is missing"),
    "pickled": Row(weights="pickled", refused="pickled"),
    "adapter": Row(write={"adapter_config.json": {"base_model_name_or_path": "x"}}, refused="adapter"),
    # where things are
    "sub-folder": Row(folder="0_Transformer"),
    "sub-folder-roberta-sharded": Row("roberta", "byte-level", "RobertaTokenizer", folder="0_T", weights="sharded"),
    "bare": Row(bare=True),
    "bare-with-settings-that-do-not-count": Row(
        bare=True, write={"sentence_bert_config.json": {"max_seq_length": 6, "do_lower_case": True}}
    ),
    "bare-chat-template": Row(bare=True, tokens={"chat_template": "{{ messages }}"}, refused="chat template"),
    # settings of the transformer module
    "lower-case": Row(settings={"do_lower_case": True}),
    "lower-case-of-class": Row(tokenizer_class="BertTokenizer", settings={"do_lower_case": True}),
    "roberta-settings": Row(settings_name="sentence_roberta_config.json", settings={"max_seq_length": 9}),
    "xlm-roberta-settings": Row(
        "xlm-roberta", "unigram", settings_name="sentence_xlm-roberta_config.json", settings={"do_lower_case": True}
    ),
    "distilbert-settings": Row(
        "distilbert", settings_name="sentence_distilbert_config.json", settings={"max_seq_length": 7}
    ),
    "settings-as-saved-today": Row(
        settings={
            "transformer_task": "feature-extraction",
            "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
            "module_output_name": "token_embeddings",
        }
    ),
    "processing-settings": Row(
        settings={"processing_kwargs": {"text": {"max_length": 5}}}, refused="processing_kwargs"
    ),
    "config-overridden": Row(settings={"config_kwargs": {"num_hidden_layers": 1}}, refused="config_kwargs"),
    # tokenizer settings
    "tokens-lower-case-false": Row(tokenizer_class="BertTokenizer", tokens={"do_lower_case": False}),
    "tokens-accents-kept": Row(tokenizer_class="BertTokenizer", tokens={"strip_accents": False}),
    "tokens-accents-stripped": Row(
        tokenizer_class="BertTokenizer", tokens={"do_lower_case": False, "strip_accents": True}
    ),
    "tokens-chinese": Row(tokenizer_class="BertTokenizerFast", tokens={"tokenize_chinese_chars": False}),
    "mpnet-lower-case-false": Row("mpnet", tokenizer_class="MPNetTokenizer", tokens={"do_lower_case": False}),
    "as-stored-ignores-lower-case": Row(tokens={"do_lower_case": True}),
    "prefix-space": Row("roberta", "byte-level", "RobertaTokenizer", tokens={"add_prefix_space": True}),
    "left-truncation": Row(tokens={"truncation_side": "left"}),
    "left-truncation-stored": Row("distilbert", stored={"truncation": LEFT}),
    "limit-of-tokenizer": Row(settings={"max_seq_length": None}, tokens={"model_max_length": 8}),
    "limit-of-positions": Row(settings={"max_seq_length": None}, tokens={"model_max_length": int(1e30)}),
    "added-tokens": Row(tokens={"added_tokens_decoder": {"210": TOOL}}),
    "added-tokens-of-class": Row(tokenizer_class="BertTokenizer", tokens={"additional_special_tokens": ["<tool>"]}),
    "special-tokens-map": Row(
        tokenizer_class="BertTokenizer",
        write={"special_tokens_map.json": {"mask_token": "<tool>", "pad_token": "[PAD]"}},
    ),
    "split-special-tokens": Row(tokens={"split_special_tokens": True}),
    "no-special-tokens": Row(stored={"post_processor": None}),
    "template-of-types": Row(
        stored={"post_processor": {"single": [{"Sequence": {"id": "A", "type_id": 1}}]}},
        tokens={"model_input_names": ["input_ids", "token_type_ids", "attention_mask"]},
        refused="token type",
    ),
    "no-attention-mask": Row(tokens={"model_input_names": ["input_ids"]}, refused="attention_mask"),
    "left-padding": Row(tokens={"padding_side": "left"}, refused="padded on the left"),
    "left-padding-roberta": Row("roberta", "byte-level", tokens={"padding_side": "left"}),
    "vocab-txt": Row(tokenizer_class="BertTokenizer", write={"tokenizer.json": None}),
    "vocab-txt-cased": Row(tokenizer_class=None, tokens={"do_lower_case": False}, write={"tokenizer.json": None}),
    "vocab-txt-mpnet": Row("mpnet", tokenizer_class="MPNetTokenizer", write={"tokenizer.json": None}),
    "vocab-and-merges": Row("roberta", "byte-level", "RobertaTokenizer", write={"tokenizer.json": None}),
    "no-tokenizer": Row(
        "xlm-roberta", "unigram", "XLMRobertaTokenizer", write={"tokenizer.json": None}, refused="has no tokenizer.json"
    ),
    # pooling
    "pooling-flags": Row(pooling=_flags(cls_token=True, mean_tokens=False)),
    "pooling-flags-unsaid": Row(pooling=_flags(mean_tokens=False)),
    "pooling-two": Row(pooling=["mean", "cls"], modules=()),
    "pooling-three-flags": Row(pooling=_flags(cls_token=True, mean_tokens=True, max_tokens=True), modules=()),
    "pooling-max": Row(pooling="max"),
    "pooling-root": Row(pooling="mean_sqrt_len_tokens", modules=()),
    "pooling-weighted": Row("roberta", "byte-level", pooling="weightedmean"),
    "pooling-last": Row(pooling="lasttoken"),
    "pooling-unknown": Row(pooling="attention", refused="pooling"),
    "prompt-not-pooled-without-prompt": Row(pooling={"pooling_mode": "mean", "include_prompt": False}),
    "prompt-not-pooled": Row(
        pooling={"pooling_mode": "mean", "include_prompt": False},
        said={"prompts": {"query": "key: "}},
        refused="prompt",
    ),
    # what stands behind it
    "nothing-behind": Row(modules=()),
    "dense": Row(modules=("Dense:Tanh:16", "Normalize")),
    "dense-unsaid": Row(modules=("Dense:unsaid:16",)),
    "dense-foreign-activation": Row(modules=("Dense:my.module.Swish:16",)),
    "dense-gelu": Row(modules=("Dense:GELU:16",)),
    "dense-sigmoid": Row(modules=("Dense:Sigmoid:16",)),
    "dense-mish": Row(modules=("Dense:Mish:16",), refused="activation 'Mish'"),
    "dense-two-without-bias": Row(modules=("Dense:ReLU:48:no-bias", "Dense:none:16", "Normalize")),
    "dense-after-normalize": Row(modules=("Normalize", "Dense:none:16")),
    "dense-between-normalize": Row(modules=("Normalize", "Dense:SiLU:16", "Normalize")),
    "dense-residual": Row(modules=("Dense:none:16:residual",), refused="residual"),
    "dense-pickled": Row(modules=("Dense:Tanh:16:pickled",), refused="pytorch_model.bin"),
    "dropout": Row(modules=("Dropout", "Normalize")),
    "layer-norm": Row(modules=("LayerNorm", "Normalize")),
    "dense-on-two-poolings": Row(pooling=["max", "mean"], modules=("Dense:none:16", "Normalize")),
    "other-module": Row(modules=("WordWeights",), refused="'WordWeights'"),
    # what is said of the whole
    "prompts": Row(said={"prompts": {"query": "key: ", "document": "text: "}}),
    "default-prompt": Row(said={"prompts": {"d": "key: "}, "default_prompt_name": "d"}, refused="default prompt"),
    "default-prompt-of-both": Row(
        said={"prompts": {"query": "key: ", "document": "text: "}, "default_prompt_name": "query"}
    ),
    "truncate-dim": Row(said={"truncate_dim": 12}),
    "dot": Row(modules=(), said={"similarity_fn_name": "dot"}),
    "euclidean": Row(modules=(), said={"similarity_fn_name": "euclidean"}, refused="euclidean"),
    "sparse": Row(said={"model_type": "SparseEncoder"}, refused="SparseEncoder"),
}
