"""Judged sets from documents of every script: a handbook gives queries, and each of them finds its own section."""

from __future__ import annotations

import numpy as np
import pytest

from embassay.evaluate.judge.duplicates import is_copied, near_queries, shared_words
from embassay.evaluate.judge.make import make_draft
from embassay.evaluate.judge.passages import Passages
from embassay.evaluate.judge.phrases import normalised, telling, usable
from embassay.stores.opening import exact_store
from embassay.stores.values import VECTOR
from embassay.types import Chunk, Document

TOPICS = {
    "zh": "差旅报销 网络安全 招聘面试 设备采购 会议室预订 绩效考核 客户投诉 数据备份 消防演习 实习培训".split(),
    "ja": "経費精算 情報管理 採用面接 備品購入 会議室予約 人事評価 苦情対応 障害復旧 避難訓練 新人研修".split(),
    "th": "การเบิกค่าเดินทาง ความปลอดภัยเครือข่าย การสัมภาษณ์งาน การจัดซื้ออุปกรณ์ การจองห้องประชุม การประเมินผลงาน "
    "การร้องเรียนของลูกค้า การสำรองข้อมูล การซ้อมหนีไฟ การฝึกอบรมพนักงานใหม่".split(),
    "ru": [
        "Оплата командировок", "Защита сети", "Приём новых сотрудников", "Закупка оборудования", "Бронь переговорной",
        "Оценка работы", "Жалобы покупателей", "Копии данных", "Пожарные учения", "Обучение стажёров",
    ],
}  # fmt: skip
SECTIONS = {
    "zh": "关于{t}，员工应当先填写申请表，然后由部门主管审核，审核结果会在三个工作日内通知本人。"
    "负责{t}的同事每月最后一天汇总全部记录并发送给行政部门存档。逾期未处理的申请将自动退回。",
    "ja": "{t}については、社員がまず申請書を記入し、所属長が三日以内に承認します。"
    "{t}の担当者は毎月末に記録をまとめて総務部へ送付し、二年間保管しなければなりません。期限を過ぎた申請は差し戻されます。",
    "th": "สำหรับ{t} พนักงานต้องกรอกแบบฟอร์มก่อน จากนั้นหัวหน้าแผนกจะตรวจสอบภายในสามวันทำการ "
    "ผู้รับผิดชอบ{t}ต้องรวบรวมบันทึกทั้งหมดทุกสิ้นเดือนและส่งให้ฝ่ายบริหารจัดเก็บ คำขอที่เกินกำหนดจะถูกส่งคืน",
    "ru": "По разделу «{t}» сотрудник пишет заявление. Начальник отдела смотрит его за три дня. За «{t}» отвечает "
    "отдельный человек и ведёт записи. Раз в месяц он отдаёт их в архив. Старые заявления идут назад к автору. Образец "
    "лежит на портале у входа.",
}


def handbook(language):
    parts = [f"## {topic}\n\n{SECTIONS[language].format(t=topic)}" for topic in TOPICS[language]]
    return Passages([Document("handbook.md", "handbook.md", "# 1\n\n" + "\n\n".join(parts), "markdown")])


@pytest.mark.parametrize("language", TOPICS)
def test_headings_ask_for_their_sections_in_every_script(language):
    passages = handbook(language)
    assert passages.language == language
    made = make_draft(passages, 100, ("heading",))
    assert made.counts["heading"] >= 8
    store = exact_store(1, language=language)
    rows = [Chunk(r["_id"], r["_id"], "", "", f"{r['title']} {r['text']}", 0, (1, 1), (0, 0), 0) for r in made.corpus]
    store.upsert(rows, {VECTOR: np.zeros((len(rows), 1), np.float32)})
    with store.snapshot() as version:
        for query in made.queries:
            found = version.fetch([hit.ref for hit in version.lexical(query.text, 3)])
            assert {chunk.key for chunk in found} & set(query.relevant), query.text


@pytest.mark.parametrize("language", ["zh", "ja", "ru"])
def test_sentences_end_where_the_script_says(language):
    made = make_draft(handbook(language), 100, ("sentence",))
    assert len(made.queries) >= 8
    ends = {query.text[-1] for query in made.queries}
    assert ends == {"." if language == "ru" else "。"}
    assert all(query.text.count("。") <= 1 for query in made.queries), "a query is one sentence"


def test_telling_words_are_counted_in_every_script():
    assert telling("备份的服务器和磁盘", "zh") == ["备份", "服务", "器", "磁盘"]
    assert telling("The keys of the house", "en") == ["keys", "house"]
    assert usable("备份策略说明", "zh") and usable("비밀번호 재설정 방법", "ko")
    assert not usable("备份", "zh") and not usable("的是", "zh") and not usable("the key", "en")


def test_duplicates_are_seen_in_every_script():
    assert normalised("备份 服务器。") == normalised("备份　服务器！")
    queries = {"a": "备份服务器磁盘空间不足", "b": "备份服务器的磁盘空间不足", "c": "年假申请流程"}
    assert near_queries(queries, "zh") == [("a", "b")]
    answer = Document("d", "d", "管理员注意：备份服务器磁盘空间不足时任务会停止。")
    assert is_copied(queries["a"], [answer]) and not is_copied(queries["c"], [answer])
    assert shared_words(queries["b"], [answer], "zh") == 1.0 and shared_words(queries["c"], [answer], "zh") < 0.5
